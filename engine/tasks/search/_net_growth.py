"""Function-preserving growth of nets: wider by copied units, deeper by identity layers.

A net here is one plain relu net: `w0`, `b0`, `w1`, `b1`, …, shapes (out, in) and
(out,), the last layer linear.

Source: Chen, Goodfellow and Shlens (2016), arXiv:1511.05641, Net2WiderNet and
Net2DeeperNet.
Differs: a copied unit's outgoing weights are split unevenly between the copies, so that
they diverge in training without the paper's noise, which would change the outputs.
"""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from engine.protocol import Weights
from engine.tasks.search._padded_mlp import PaddedShape


def widen(
    weights: Weights, layer: int, uniform: Float[np.ndarray, "unit 2"]
) -> Weights:
    """Add units to a hidden layer without changing the net's outputs.

    Args:
        weights: One net.
        layer: Index of the hidden layer, from 0.
        uniform: Uniform in [0, 1), shape (new unit, 2): selects the unit that each new
            one copies, and the share of its outgoing weights that the copy gets.

    >>> net = {"w0": torch.ones(1, 1), "b0": torch.zeros(1),
    ...        "w1": torch.full((1, 1), 4.0), "b1": torch.zeros(1)}
    >>> widen(net, 0, np.array([[0.0, 0.5]]))["w1"].tolist()
    [[2.0, 2.0]]
    """
    into, bias = weights[f"w{layer}"], weights[f"b{layer}"]
    out = weights[f"w{layer + 1}"]
    copied = torch.from_numpy(np.floor(uniform[:, 0] * len(bias)).astype(np.int64))
    given = [*out.unbind(1)]
    for unit, share in zip(copied.tolist(), _split_shares(uniform[:, 1]), strict=True):
        given.append(share * given[unit])
        given[unit] = (1.0 - share) * given[unit]
    return weights | {
        f"w{layer}": torch.cat([into, into[copied]]),
        f"b{layer}": torch.cat([bias, bias[copied]]),
        f"w{layer + 1}": torch.stack(given, 1),
    }


def _split_shares(uniform: Float[np.ndarray, " unit"]) -> list[float]:
    """Return shares around 1/2; at exactly 1/2 the copies would stay identical."""
    return [float(share) for share in 0.25 + 0.5 * uniform]


def deepen(weights: Weights) -> Weights:
    """Insert an identity layer after the last hidden one; outputs do not change.

    A relu leaves the nonnegative outputs of another relu unchanged.

    >>> net = {"w0": torch.ones(2, 1), "b0": torch.zeros(2),
    ...        "w1": torch.ones(1, 2), "b1": torch.zeros(1)}
    >>> deepen(net)["w1"].tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    head = len(weights) // 2 - 1
    out = weights[f"w{head}"]
    return weights | {
        f"w{head}": torch.eye(out.shape[1], dtype=out.dtype),
        f"b{head}": out.new_zeros(out.shape[1]),
        f"w{head + 1}": out,
        f"b{head + 1}": weights[f"b{head}"],
    }


def extract_net(flat: Tensor, frame: PaddedShape, widths: tuple[int, ...]) -> Weights:
    """Return one net without its padding.

    Args:
        flat: Its padded weights; shape (weight,).
        frame: Its padded shape.
        widths: Units of its hidden layers.
    """
    padded = {name: each[0] for name, each in frame.views(flat[None]).items()}
    ins, outs = (frame.features, *widths), (*widths, frame.classes)
    net: Weights = {}
    for i, (fan_in, fan_out) in enumerate(zip(ins, outs, strict=True)):
        place = i if i < len(widths) else frame.layers
        net[f"w{i}"] = padded[f"w{place}"][:fan_out, :fan_in].clone()
        net[f"b{i}"] = padded[f"b{place}"][:fan_out].clone()
    return net


def pad_net(net: Weights, frame: PaddedShape) -> Tensor:
    """Return one net's weights, padded with zeros; shape (weight,)."""
    flat = torch.zeros(1, sum(map(_count, frame.shapes().values()))).double()
    padded, head = frame.views(flat), len(net) // 2 - 1
    for i in range(head + 1):
        place = i if i < head else frame.layers
        fan_out, fan_in = net[f"w{i}"].shape
        padded[f"w{place}"][0, :fan_out, :fan_in] = net[f"w{i}"]
        padded[f"b{place}"][0, :fan_out] = net[f"b{i}"]
    return flat[0]


def _count(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape))
