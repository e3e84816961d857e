"""Batched nets of one design: forward pass and hand-written gradient.

A hidden layer is h ← a(norm(W h) + b), plus h if residual (P x in the first layer).
Feature first: weights (member, out, in), data (member, feature, example). The gradient
is hand-written because it takes half the time of autograd; tests compare the two.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from engine.data.sources.mosaic_space import NetDesign
from engine.nets.backpropagation import ACTIVATIONS, SLOPES, cross_entropy_gradient

_EPS = 1e-5
# Axis that normalization averages over: the units of an example, or the examples.
_OVER = {"layer": 1, "batch": 2}
Weights = dict[str, Tensor]


class NormalizedSums(NamedTuple):
    """Normalized preactivations, and the scale they were multiplied by."""

    value: Tensor
    scale: Tensor


class LayerCache(NamedTuple):
    """What backpropagation needs of a layer.

    Args:
        inputs: Inputs of the layer; shape (member, in, example).
        sums: Inputs of its activation; shape (member, out, example).
        normalized: The same before adding the bias, if the layer is normalized.
        outputs: Outputs of its activation; shape (member, out, example).
    """

    inputs: Tensor
    sums: Tensor
    normalized: NormalizedSums | None
    outputs: Tensor


def views(flat: Tensor, form: NetDesign, features: int, classes: int) -> Weights:
    """Return named views into flat weights of shape (member, weight)."""
    found, place = {}, 0
    for name, shape in form.weight_shapes(features, classes).items():
        size = torch.Size(shape).numel()
        found[name] = flat[:, place : place + size].unflatten(1, shape)
        place += size
    return found


def forward(
    weights: Weights, x: Tensor, form: NetDesign, reference: int | None = None
) -> tuple[Tensor, list[LayerCache]]:
    """Compute the outputs; (member, feature, example) → (member, class, example).

    Args:
        weights: Named weights, member first.
        x: Inputs; shape (member, feature, example).
        form: Design of the nets.
        reference: Number of leading examples that give the statistics of batch
            normalization; all if None.

    Returns:
        The outputs, and what `gradient` needs of each layer.
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
        form: Design of the nets.
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
    """Normalize preactivations to mean 0 and variance 1, over units or over examples.

    Args:
        sums: Shape (member, unit, example).
        kind: layer or batch.
        reference: As `forward` takes it.
    """
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
    """Backpropagate through the normalization, from its output to its input."""
    if normal is None:
        return back
    over = _OVER[form.normalization]
    along = (back * normal.value).mean(over, keepdim=True)
    level = back.mean(over, keepdim=True)
    return normal.scale * (back - level - normal.value * along)


def _backward_activation(activation: str, layer: LayerCache, back: Tensor) -> Tensor:
    if activation == "sine":  # its output determines the derivative only up to sign
        return back * layer.sums.cos()
    return SLOPES[activation](back, layer.outputs)
