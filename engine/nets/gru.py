"""A gated recurrent unit that steps many items at once; weights lead with the member.

Source: Cho et al. (2014), arXiv:1406.1078; the candidate's reset is applied after its
product with the state, as in cuDNN and `torch.nn.GRUCell`.
"""

import math

import numpy as np
import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.nets._gru_sequence import GruSequence
from engine.protocol import Weights, generator


def init_gru(inputs: int, hidden: int, rng: Rng) -> Weights:
    """Draw the weights of a cell.

    Args:
        inputs: Features of each item.
        hidden: Units of the cell.
        rng: Stream of this net.

    Returns:
        `wx`, `wh`, `bx` and `bh`; shapes (3 hidden, in), (3 hidden, hidden) and twice
        (3 hidden,), the rows being reset, update, and the candidate.
    """
    draw = generator(rng)
    bound = 1 / math.sqrt(hidden)
    weights: Weights = {}
    for name, size in (("wx", inputs), ("wh", hidden)):
        drawn = draw.uniform(-bound, bound, (3 * hidden, size)).astype(np.float32)
        weights[name] = torch.from_numpy(drawn)
    return weights | {"bx": torch.zeros(3 * hidden), "bh": torch.zeros(3 * hidden)}


def apply_gru(weights: Weights, x: Tensor, state: Tensor) -> Tensor:
    """Advance every item by one step.

    Args:
        weights: Member first, as `init_gru` names them.
        x: Inputs; shape (member, feature, item).
        state: Shape (member, hidden, item).

    Returns:
        The new state, which is also the output.
    """
    seen = torch.baddbmm(weights["bx"].unsqueeze(2), weights["wx"], x)
    kept = torch.baddbmm(weights["bh"].unsqueeze(2), weights["wh"], state)
    (reset_x, update_x, new_x), (reset_h, update_h, new_h) = (
        gates.chunk(3, 1) for gates in (seen, kept)
    )
    update = torch.sigmoid(update_x + update_h)
    new = torch.tanh(new_x + torch.sigmoid(reset_x + reset_h) * new_h)
    return (1 - update) * new + update * state


def read_gru(weights: Weights, x: Tensor, state: Tensor) -> Tensor:
    """Advance every item along a sequence.

    Args:
        weights: Member first, as `init_gru` names them.
        x: Inputs; shape (step, member, feature, item).
        state: Before the first step; shape (member, hidden, item).

    Returns:
        The state after each step; shape (step, member, hidden, item). It has first
        derivatives only; those of `apply_gru` can be differentiated again.
    """
    cell = [weights[name] for name in ("wx", "wh", "bx", "bh")]
    states: Tensor = GruSequence.apply(*cell, x, state)
    return states
