"""A stacked LSTM that steps many items at once; weights lead with the member axis.

Source: Hochreiter and Schmidhuber (1997); Gers, Schmidhuber and Cummins (2000)
for the forget gate, whose bias starts at 1 (Jozefowicz et al., 2015).
"""

import math

import numpy as np
import torch
from torch import Tensor

from engine.contract.rng import Rng
from engine.protocol import Weights, generator


def init_lstm(inputs: int, hidden: int, layers: int, rng: Rng) -> Weights:
    """Draw the weights of a stack of cells.

    Args:
        inputs: Features of each item.
        hidden: Units of each cell.
        layers: Number of cells.
        rng: Stream of this net.

    Returns:
        `cell0.w`, `cell0.b`, `cell1.w`, …; shapes (4 hidden, in + hidden) and
        (4 hidden,), the rows being the gates input, forget, output, and the
        candidate.
    """
    draw = generator(rng)
    bound = 1 / math.sqrt(hidden)
    weights: Weights = {}
    for i in range(layers):
        shape = (4 * hidden, (hidden if i else inputs) + hidden)
        drawn = draw.uniform(-bound, bound, shape).astype(np.float32)
        weights[f"cell{i}.w"] = torch.from_numpy(drawn)
        weights[f"cell{i}.b"] = torch.zeros(4 * hidden)
        # The forget gate starts open, so that gradients survive early training.
        weights[f"cell{i}.b"][hidden : 2 * hidden] = 1.0
    return weights


def start_lstm(x: Tensor, hidden: int, layers: int) -> Weights:
    """Return zero states.

    Args:
        x: Only its size, dtype and device are used; shape (member, item).
        hidden: Units of each cell.
        layers: Number of cells.

    Returns:
        `h0`, `c0`, `h1`, …; shape (member, hidden, item) each.
    """
    shape = (x.shape[0], hidden, x.shape[1])
    return {f"{kind}{i}": x.new_zeros(shape) for i in range(layers) for kind in "hc"}


def apply_lstm(weights: Weights, x: Tensor, state: Weights) -> tuple[Tensor, Weights]:
    """Advance every item by one step.

    Args:
        weights: Member first, as `init_lstm` names them.
        x: Inputs; shape (member, feature, item).
        state: `h0`, `c0`, `h1`, …; shape (member, hidden, item) each.

    Returns:
        The top cell's output, shape (member, hidden, item), and the new state.
    """
    fresh: Weights = {}
    for i in range(len(state) // 2):
        bias = weights[f"cell{i}.b"].unsqueeze(-1)
        seen = torch.cat([x, state[f"h{i}"]], 1)
        gates = torch.baddbmm(bias, weights[f"cell{i}.w"], seen)
        x, cell = _step_cell(gates, state[f"c{i}"])
        fresh |= {f"h{i}": x, f"c{i}": cell}
    return x, fresh


def _step_cell(gates: Tensor, cell: Tensor) -> tuple[Tensor, Tensor]:
    hidden = cell.shape[1]
    take, keep, show = torch.sigmoid(gates[:, : 3 * hidden]).chunk(3, 1)
    cell = keep * cell + take * torch.tanh(gates[:, 3 * hidden :])
    return show * torch.tanh(cell), cell


def preprocess(grad: Tensor, p: float) -> Tensor:
    """Encode gradients, or losses, of any scale as two inputs of about 1.

    Source: Andrychowicz et al. (2016), arXiv:1606.04474, appendix A.

    Args:
        grad: Gradients; shape (member, weight).
        p: Gradients below e⁻ᵖ are passed on linearly.

    Returns:
        Shape (member, 2, weight): log|g|/p and sign g, or −1 and eᵖ g for small ones.

    >>> preprocess(torch.tensor([[1.0, -math.exp(-10.0), 0.0]]), 10.0)[0].tolist()
    [[0.0, -1.0, -1.0], [1.0, -1.0, 0.0]]
    """
    # A NaN would stay in the hidden state for the rest of the run.
    grad = torch.nan_to_num(grad)
    floor = math.exp(-p)
    size = grad.abs().clamp(min=floor).log() / p
    return torch.stack([size, (grad / floor).clamp(-1, 1)], 1)
