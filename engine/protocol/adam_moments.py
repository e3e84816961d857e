"""Adam's moments, for outer rules and for updates within a trial.

Source: Kingma and Ba (2015), arXiv:1412.6980, algorithm 1; β₁ = 0.9, β₂ = 0.999.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from engine.protocol import square_root

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8


class AdamMoments(NamedTuple):
    """Moments after a step; the weights move by β m / correction / root.

    Args:
        m: Mean of the gradients.
        v: Mean of their squares.
        correction: 1 − β₁ᵗ.
        root: √v̂ + ε.
    """

    m: Tensor
    v: Tensor
    correction: Tensor | float
    root: Tensor


def advance_moments(grad: Tensor, m: Tensor, v: Tensor, t: Tensor | int) -> AdamMoments:
    """Return the moments after one more gradient.

    Args:
        grad: g; any shape.
        m: Before the step; same shape.
        v: Before the step; same shape.
        t: Steps, this one included; a number, or a tensor that broadcasts.
    """
    m = torch.lerp(m, grad, 1 - BETA_1)
    v = torch.lerp(v, grad.square(), 1 - BETA_2)
    root = square_root(v / (1 - BETA_2**t)) + EPSILON
    return AdamMoments(m, v, 1 - BETA_1**t, root)
