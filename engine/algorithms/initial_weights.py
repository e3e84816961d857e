"""Initial weights of nets, the same for all learners of a seed."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.protocol import Layout, Net, Weights


def draw_weights(
    net: Net, layout: Layout, rngs: Sequence[Rng], like: Tensor, name: str = "weights"
) -> Weights:
    """Draw a net's initial weights, one per replicate.

    Args:
        net: The net.
        layout: Names and shapes of its weights.
        rngs: One stream per replicate; all learners of a seed get the same.
        like: A tensor with the wanted device and dtype.
        name: Name of the random stream; distinguishes the nets of one learner.

    Returns:
        Weights by name, (replicate, …) each; empty for a body without layers.
    """
    if not layout.names:
        return {}
    # Drawn by numpy on the CPU, so that every device starts from the same bits.
    flat = np.stack([net.init(layout, rng.child(name)) for rng in rngs])
    views = layout.views(torch.from_numpy(flat).to(like.device, like.dtype))
    return {name: view.contiguous() for name, view in views.items()}
