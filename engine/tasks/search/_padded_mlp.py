"""A batch of small dense nets of different depth and width, padded to one shape.

A hidden layer is h ← g · a(W h + b) + r · h. The gate g is 0 for units, and for all
units of layers, that a net does not have; r then passes h on unchanged, and is 1 where
a skip connection adds h. Feature first: weights (member, out, in), data (member,
feature, example). Float64 and hand-written gradients, so that a net's result does not
depend on the rest of the batch, and for speed.

Source: He et al. (2016), arXiv:1512.03385, option A: a skip connection between layers
of different width adds the units that both have.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from engine.algorithms.optimization.update_rules import adam_step, momentum_step, zeros
from engine.nets.backpropagation import (
    ACTIVATIONS,
    cross_entropy_gradient,
    shorten_gradients,
)
from engine.protocol import Weights, chosen_class

# Derivatives of the activations at their inputs. Derivatives from the outputs
# (`engine.nets.backpropagation`) differ in the last bit, and would change every result.
_SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "relu": lambda sums: (sums > 0).to(sums.dtype),
    "tanh": lambda sums: 1.0 - torch.tanh(sums).square(),
    "sigmoid": lambda sums: torch.sigmoid(sums) * torch.sigmoid(-sums),
    "sine": torch.cos,
}
_LONGEST = 4.0  # gradient norm above which a net's gradient is shortened


class PaddedShape(NamedTuple):
    """The common padded shape of the nets of a batch."""

    features: int
    classes: int
    layers: int
    width: int

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of each weight, in the order of the flat vector."""
        ins = [self.features, *[self.width] * self.layers]
        outs = [*[self.width] * self.layers, self.classes]
        shapes: dict[str, tuple[int, ...]] = {}
        for i, (fan_in, fan_out) in enumerate(zip(ins, outs, strict=True)):
            shapes |= {f"w{i}": (fan_out, fan_in), f"b{i}": (fan_out,)}
        return shapes

    def views(self, flat: Tensor) -> Weights:
        """Return named views into flat weights of shape (member, weight)."""
        found, place = {}, 0
        for name, shape in self.shapes().items():
            size = math.prod(shape)
            found[name] = flat[:, place : place + size].unflatten(1, shape)
            place += size
        return found


@dataclass(frozen=True)
class PaddedNets:
    """Nets, padded.

    Args:
        frame: Their padded shape.
        flat: Weights, float64; shape (member, weight). Weights behind a closed gate
            may have any value: they are never used and never updated.
        gates: Gates of the hidden layers; shape (layer, member, unit, 1).
        bypass: Share of its input that each layer passes on; same shape, 0 in the
            first.
        runs: Activations, and the number of consecutive members that have each.
    """

    frame: PaddedShape
    flat: Tensor
    gates: Tensor
    bypass: Tensor
    runs: tuple[tuple[str, int], ...]


def make_gates(
    frame: PaddedShape, widths: Sequence[Sequence[int]], skips: Sequence[bool]
) -> tuple[Tensor, Tensor]:
    """Return the gates and the bypass of nets, as `PaddedNets` takes them.

    Args:
        frame: Their padded shape.
        widths: Units of each hidden layer, one sequence per member.
        skips: Whether each net has skip connections.
    """
    shape = (frame.layers, len(widths), frame.width, 1)
    gates, past = torch.zeros(shape).double(), torch.zeros(shape).double()
    for member, (units, skip) in enumerate(zip(widths, skips, strict=True)):
        for layer in range(frame.layers):
            there = layer < len(units)
            gates[layer, member, : units[layer] if there else 0] = 1.0
            if layer and not there:
                past[layer, member] = 1.0
            elif layer and skip:
                past[layer, member, : units[layer]] = 1.0
    return gates, past


def forward(nets: PaddedNets, x: Tensor) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Compute the outputs; (member, feature, example) → (member, class, example).

    Args:
        nets: The nets.
        x: Inputs; shape (member, feature, example).

    Returns:
        The outputs, the input of each layer, and the input of its activation.
    """
    weights = nets.frame.views(nets.flat)
    seen, given = [x], []
    for i in range(nets.frame.layers):
        sums = torch.baddbmm(weights[f"b{i}"].unsqueeze(-1), weights[f"w{i}"], seen[-1])
        out = nets.gates[i] * _apply_by_run(nets, sums, ACTIVATIONS)
        given.append(sums)
        seen.append(out + nets.bypass[i] * seen[-1] if i else out)
    head = nets.frame.layers
    bias = weights[f"b{head}"].unsqueeze(-1)
    return torch.baddbmm(bias, weights[f"w{head}"], seen[-1]), seen, given


def gradient(nets: PaddedNets, x: Tensor, y: Tensor) -> Tensor:
    """Return each net's gradient of its mean cross-entropy; (member, weight).

    Args:
        nets: The nets.
        x: Inputs; shape (member, feature, example).
        y: Classes; int64, shape (member, example).
    """
    out, seen, given = forward(nets, x)
    weights, head = nets.frame.views(nets.flat), nets.frame.layers
    back = cross_entropy_gradient(out, y)
    pieces = [back.sum(2), torch.bmm(back, seen[head].mT).flatten(1)]
    back = torch.bmm(weights[f"w{head}"].mT, back)
    for i in reversed(range(head)):
        slope = _apply_by_run(nets, given[i], _SLOPES) * (nets.gates[i] * back)
        pieces += [slope.sum(2), torch.bmm(slope, seen[i].mT).flatten(1)]
        if i:
            back = torch.bmm(weights[f"w{i}"].mT, slope) + nets.bypass[i] * back
    return torch.cat(pieces[::-1], 1)


def _apply_by_run(
    nets: PaddedNets, sums: Tensor, which: dict[str, Callable[[Tensor], Tensor]]
) -> Tensor:
    """Apply the function of each run's activation to its members."""
    parts = sums.split([count for _, count in nets.runs])
    done = [which[name](p) for (name, _), p in zip(nets.runs, parts, strict=True)]
    return done[0] if len(done) == 1 else torch.cat(done)


@dataclass(frozen=True)
class OptimizerRates:
    """Optimizers of the members: momentum for the first, Adam for the others.

    Args:
        rate: Learning rate of each member; shape (member, 1).
        decay: Momentum of the first members, 0 for SGD; shape (momentum member, 1).
    """

    rate: Tensor
    decay: Tensor


def train_nets(
    nets: PaddedNets, x: Tensor, y: Tensor, picks: Tensor, rates: OptimizerRates
) -> PaddedNets:
    """Train nets on minibatches, from a fresh optimizer state.

    Args:
        nets: The nets; they are not changed.
        x: Training rows; shape (member, row, feature).
        y: Their classes; shape (member, row).
        picks: Rows of each minibatch; shape (step, member, example).
        rates: Optimizers of the members.
    """
    flat = nets.flat.clone()
    moved = replace(nets, flat=flat)
    slow, members = len(rates.decay), torch.arange(len(flat))[:, None]
    velocity, moments = zeros(flat[:slow], "velocity"), zeros(flat[slow:], "m", "v")
    for step, rows in enumerate(picks):
        grad = gradient(moved, x[members, rows].mT, y[members, rows])
        grad = shorten_gradients(grad, _LONGEST)
        heavy = momentum_step(grad[:slow], velocity, rates.decay)
        adam = adam_step(grad[slow:], moments, step, (0.9, 0.999), 1e-8)
        velocity, moments = heavy.state, adam.state
        flat -= rates.rate * torch.cat([heavy.step, adam.step])
    return moved


def accuracy(nets: PaddedNets, x: Tensor, y: Tensor) -> Tensor:
    """Return the accuracy of each net, shape (member,); NaN if outputs are not finite.

    Args:
        nets: The nets.
        x: Rows to evaluate on; shape (member, row, feature).
        y: Their classes; shape (member, row).
    """
    out, _, _ = forward(nets, x.mT)
    right = (chosen_class(out) == y).double().mean(1)
    return right.masked_fill(~out.isfinite().flatten(1).all(1), math.nan)
