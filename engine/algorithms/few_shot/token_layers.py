"""Layers over the tokens of episodes: attention, and what convolutions read.

The tokens of the support come first, then those of the queries, which read the
support's but are read by none: each query is the last item of its own sequence, and all
of them share one pass over the support.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import EXCLUDED
from engine.algorithms.few_shot.sequences import (
    context_positions,
    embed_sequence,
    make_tokens,
    visible_examples,
)
from engine.contract.rng import Rng
from engine.nets.initialization import Shapes, make_layout, start_weights
from engine.nets.normalization import standardize_units
from engine.protocol import EpisodeBatch, Weights

PREFIX = "sequence."  # tells these weights from those of the net that embeds inputs


class TokenBatch(NamedTuple):
    """The tokens of some episodes, and what each of them may read.

    Args:
        values: Support, then queries; shape (member, token, item).
        positions: Number of support examples before each item; int64, shape (item,).
        visible: Which support examples each item reads beside itself; boolean, shape
            (item, example).
    """

    values: Tensor
    positions: Tensor
    visible: Tensor


def tokens_of(theta: Weights, tasks: EpisodeBatch, *, ordered: bool) -> TokenBatch:
    """Embed the examples of episodes and make their tokens.

    Args:
        theta: Weights of each member, the body's among them; shape (member, …).
        tasks: The episodes.
        ordered: Whether a support example reads only those before it. If not, it reads
            all others, except in online episodes, where later ones are not known yet.
    """
    support, query = make_tokens(*embed_sequence(theta, tasks), tasks)
    count = tasks.support.count
    position = torch.arange(count, device=support.device)
    others = ~torch.eye(count, dtype=torch.bool, device=support.device)
    seen = others.tril() if ordered or tasks.online else others
    return TokenBatch(
        torch.cat([support, query], 2),
        torch.cat([position, context_positions(tasks)]),
        torch.cat([seen, visible_examples(tasks)]),
    )


def attend(
    query: Tensor, key: Tensor, value: Tensor, visible: Tensor, *, linear: bool = False
) -> tuple[Tensor, Tensor]:
    """Let each item read itself and the support examples that it sees.

    Written out, as fused attention returns no weights.

    Args:
        query: Shape (member, head, size, item).
        key: The same shape.
        value: Shape (member, head, value size, item).
        visible: As in `TokenBatch`.
        linear: Whether the scores themselves, divided by the number of visible
            examples, are the weights, instead of their softmax.

    Returns:
        What was read, shape (member, head, value size, item), and the weights of the
        examples and of the item itself, shape (member, head, item, example + 1).
    """
    count = visible.shape[1]
    scores = query.mT @ key[..., :count]
    own = (query * key).sum(2).unsqueeze(-1)
    if linear:
        # An item without examples reads itself alone; 1, not 0 / 0.
        seen = visible.sum(1, keepdim=True).clamp(min=1)
        weights = torch.cat([scores * visible, own], -1) / seen
    else:
        masked = scores.masked_fill(~visible, EXCLUDED)
        weights = (torch.cat([masked, own], -1) / query.shape[2] ** 0.5).softmax(-1)
    past, now = weights[..., :count], weights[..., count:]
    return value[..., :count] @ past.mT + value * now.mT, weights


def shift_back(h: Tensor, tokens: TokenBatch, steps: int) -> Tensor:
    """Return, for each item, the support example some steps before it.

    Args:
        h: Activations; shape (member, channel, item).
        tokens: The tokens that they belong to.
        steps: At least 1.

    Returns:
        The same shape; 0 before the first example.
    """
    count = tokens.visible.shape[1]
    example = torch.arange(count, device=h.device).unsqueeze(1)
    # A product with zeros and ones: the gradient of indexing takes much longer.
    chosen = (example == tokens.positions - steps).to(h.dtype)
    return h[..., :count] @ chosen


def apply_layer(theta: Weights, name: str, h: Tensor) -> Tensor:
    """Apply an affine layer to every item; linear where the layer has no bias.

    Args:
        theta: Weights of each member.
        name: The layer's; its weights are `w` and `b` followed by it.
        h: Shape (member, channel, item).
    """
    weight, bias = theta[f"{PREFIX}w{name}"], theta.get(f"{PREFIX}b{name}")
    if bias is None:
        return torch.bmm(weight, h)
    return torch.baddbmm(bias.unsqueeze(-1), weight, h)


def normalize_channels(theta: Weights, name: str, h: Tensor) -> Tensor:
    """Normalize the channels of each item, then scale and shift them.

    Args:
        theta: Weights of each member; scale and shift are `g` and `b` and the name.
        name: The layer's.
        h: Shape (member, channel, item).
    """
    scale, shift = (theta[f"{PREFIX}{kind}{name}"].unsqueeze(-1) for kind in "gb")
    return torch.addcmul(shift, scale, standardize_units("layer", h))


def draw_layers(
    shapes: Shapes, rngs: Sequence[Rng], like: Tensor, gains: dict[str, float]
) -> Weights:
    """Draw the weights of some layers, one set per replicate.

    Args:
        shapes: By name: weights begin with w, biases with b, scales with g.
        rngs: One stream per replicate.
        like: A tensor with the wanted device and dtype.
        gains: Variance of a weight × fan-in, by name; 1 for those not named.

    Returns:
        Names with `PREFIX`; shape (replicate, …) each. Biases are 0, scales 1.
    """
    layout = make_layout([shapes])
    flat = np.stack(
        [start_weights(layout, rng.child("sequence"), "he", 1.0, gains) for rng in rngs]
    )
    views = layout.views(torch.from_numpy(flat).to(like.device, like.dtype))
    return {f"{PREFIX}{name}": view.contiguous() for name, view in views.items()}


def why_other_ways(weights: Weights, name: str, tasks: EpisodeBatch) -> str | None:
    """Return the reason why a read-out does not fit the tasks; None if it does.

    Args:
        weights: Meta-weights; shape (replicate, …).
        name: The read-out's layer.
        tasks: The episodes.
    """
    has = weights[f"{PREFIX}w{name}"].shape[1]
    if has == tasks.outputs:
        return None
    return f"its tokens were trained for {has} ways and cannot hold {tasks.outputs}"


def query_attention(weights: Tensor, tasks: EpisodeBatch) -> Tensor:
    """Return which support examples the queries look at.

    Args:
        weights: From `attend`; shape (member, head, item, example + 1).
        tasks: The episodes.

    Returns:
        Mean over heads; shape (member, query, example).
    """
    return weights[:, :, tasks.support.count :, :-1].mean(1)
