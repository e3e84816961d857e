"""Many nets of one form at once: answers, and their gradient by hand.

A hidden layer is h ← a(norm(W h) + b), where it is residual + h (+ P x in the first).
Feature first: weights (member, out, in), data (member, feature, example). Written out
because it takes half the time of autograd, which the tests compare it with.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from engine.data.sources.mosaic_space import NetDesign
from engine.nets.backpropagation import ACTIVATIONS, SLOPES, cross_entropy_gradient

_EPS = 1e-5
# Over what a unit is standardized: the units of an example, or the examples.
_OVER = {"layer": 1, "batch": 2}
Weights = dict[str, Tensor]


class NormalizedSums(NamedTuple):
    """Sums that are standardized, and by what they were multiplied."""

    value: Tensor
    scale: Tensor


class LayerCache(NamedTuple):
    """What a layer remembers for the way back.

    Args:
        seen: Its inputs.
        given: What its activation was given.
        normal: What that was without its bias, where it is standardized.
        fired: What its activation returned.
    """

    inputs: Tensor
    sums: Tensor
    normalized: NormalizedSums | None
    outputs: Tensor


def views(flat: Tensor, form: NetDesign, features: int, classes: int) -> Weights:
    """Name the weights in flat vectors, (member, weight); nothing is copied."""
    found, place = {}, 0
    for name, shape in form.weight_shapes(features, classes).items():
        size = torch.Size(shape).numel()
        found[name] = flat[:, place : place + size].unflatten(1, shape)
        place += size
    return found


def forward(
    weights: Weights, x: Tensor, form: NetDesign, reference: int | None = None
) -> tuple[Tensor, list[LayerCache]]:
    """Answer; (member, feature, example) → (member, class, example).

    Args:
        weights: Named weights, member first.
        x: Inputs.
        form: Of the nets.
        reference: So many examples, in front, give the statistics of a batch; all
            of them if None.
    """
    seen, layers = x, []
    for i in range(form.depth):
        bias, weight = weights[f"b{i}"].unsqueeze(-1), weights[f"w{i}"]
        if form.normalization == "none":
            given, normal = torch.baddbmm(bias, weight, seen), None
        else:
            sums = torch.bmm(weight, seen)
            normal = standardize_sums(sums, form.normalization, reference)
            given = normal.value + bias
        fired = ACTIVATIONS[form.activation](given)
        layers.append(LayerCache(seen, given, normal, fired))
        if form.residual:
            fired = fired + (seen if i else torch.bmm(weights["past"], seen))
        seen = fired
    head = form.depth
    out = torch.baddbmm(weights[f"b{head}"].unsqueeze(-1), weights[f"w{head}"], seen)
    return out, [*layers, LayerCache(seen, out, None, out)]


def gradient(weights: Weights, x: Tensor, y: Tensor, form: NetDesign) -> Tensor:
    """Return each net's gradient of its mean cross-entropy; (member, weight).

    Args:
        weights: Named weights, member first.
        x: Inputs; shape (member, feature, example).
        y: Classes; int64, shape (member, example).
        form: Of the nets.
    """
    out, layers = forward(weights, x, form)
    back = cross_entropy_gradient(out, y)
    pieces: list[Tensor] = []
    for i in reversed(range(form.depth + 1)):
        layer, around = layers[i], back
        if i < form.depth:
            back = _backward_activation(form.activation, layer, back)
        pieces.append(back.sum(2))
        back = _backward_normalization(form, layer.normalized, back)
        pieces.append(torch.bmm(back, layer.inputs.mT).flatten(1))
        if i:
            back = torch.bmm(weights[f"w{i}"].mT, back)
            if form.residual and i < form.depth:
                back = back + around
        elif form.residual:
            pieces.append(torch.bmm(around, layer.inputs.mT).flatten(1))
    return torch.cat(pieces[::-1], 1)


def standardize_sums(sums: Tensor, kind: str, reference: int | None) -> NormalizedSums:
    """Shift and scale sums to mean 0 and variance 1, over units or over examples."""
    over = _OVER[kind]
    first = reference if kind == "batch" else None
    centered = sums - sums[:, :, :first].mean(over, keepdim=True)
    # Not torch.var_mean, which takes four times as long.
    variance = centered[:, :, :first].square().mean(over, keepdim=True)
    scale = (variance + _EPS).rsqrt()
    return NormalizedSums(centered * scale, scale)


def _backward_normalization(
    form: NetDesign, normal: NormalizedSums | None, back: Tensor
) -> Tensor:
    """Bring a slope from what is standardized to the sums that it was made of."""
    if normal is None:
        return back
    over = _OVER[form.normalization]
    along = (back * normal.value).mean(over, keepdim=True)
    level = back.mean(over, keepdim=True)
    return normal.scale * (back - level - normal.value * along)


def _backward_activation(activation: str, layer: LayerCache, back: Tensor) -> Tensor:
    if activation == "sine":  # its output tells the slope only up to the sign
        return back * layer.sums.cos()
    return SLOPES[activation](back, layer.outputs)
