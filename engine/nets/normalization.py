"""Batch, layer, instance, group and per-step normalization; member axis first.

Source: Ioffe and Szegedy (2015), arXiv:1502.03167, for batches; Ba, Kiros and Hinton
(2016), arXiv:1607.06450, for layers; Ulyanov, Vedaldi and Lempitsky (2016),
arXiv:1607.08022, for instances; Wu and He (2018), arXiv:1803.08494, for groups;
Antoniou, Edwards and Storkey (2019), arXiv:1810.09502, for statistics, scale and
shift by inner step.
Differs: only per-step normalization keeps running statistics, and it uses them in
training, too: a net has no train and test modes.
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.contract.parts import knob
from engine.nets.batched_convolution import convolve_members
from engine.nets.initialization import RUNNING
from engine.protocol import Weights

Normalization = Literal[
    "none", "batch", "support_batch", "layer", "instance", "group", "meta_batch"
]
# A unit of a vector is a single number, so instance normalization makes no sense.
UnitNormalization = Literal[
    "none", "batch", "support_batch", "layer", "group", "meta_batch"
]
EPSILON = 1e-5
BATCHES = ("batch", "support_batch")
GROUP = 16  # channels that share their statistics
HELP = (
    "Statistics that a channel is normalized by: over all examples, other queries "
    "included (batch), over the support (support_batch), over the channels of its "
    "example (layer, group), over its own pixels (instance), or running ones per inner "
    "step, which MAML++ updates (meta_batch)."
)
UNIT_HELP = (
    "Statistics that a unit is normalized by: over all examples, other queries "
    "included (batch), over the support (support_batch), over the units of its example "
    "(layer, group), or running ones per inner step, which MAML++ updates (meta_batch)."
)


def norm_steps_knob() -> int:
    """Declare the number of inner steps with running statistics of their own."""
    return knob(  # type: ignore[no-any-return]
        6,
        label="Steps with statistics of their own",
        unit="steps",
        low=1,
        high=64,
        advanced=True,
        help="For meta_batch: step 0 and each inner step; later steps use the last.",
    )


def norm_shapes(
    kind: str, layer: str, channels: int, steps: int
) -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of a layer's tensors besides its weights.

    Args:
        kind: A `Normalization`.
        layer: The layer's suffix in the names.
        channels: Units, or channels, of the layer.
        steps: Inner steps with statistics of their own, for "meta_batch".

    Returns:
        The shift `b`; the scale `g` if units are normalized; for "meta_batch" also
        running `mean` and `variance`, with a row per inner step.
    """
    if kind == "none":
        return {f"b{layer}": (channels,)}
    if kind != "meta_batch":
        return {f"g{layer}": (channels,), f"b{layer}": (channels,)}
    return {f"{name}{layer}": (steps, channels) for name in ("g", "b", *RUNNING)}


class Normalizer(NamedTuple):
    """How one pass through a net normalizes.

    Args:
        kind: A `Normalization`.
        reference: Number of leading examples that batch statistics are taken from.
        step: Inner step that the weights belong to.
        statistics: Filled with this batch's statistics, if given.
    """

    kind: str
    reference: int | None = None
    step: int = 0
    statistics: Weights | None = None

    def convolve(
        self, weights: Weights, layer: str, x: Tensor, stride: int = 1
    ) -> Tensor:
        """Convolve and normalize.

        Args:
            weights: Named weights, member first.
            layer: The layer's suffix in the names.
            x: Images; shape (example, member · channel, row, column).
            stride: Of the convolution, in pixels.

        Returns:
            Shape (example, member · filter, row, column).
        """
        if self.kind == "none":
            return convolve_members(
                x, weights[f"w{layer}"], weights[f"b{layer}"], stride
            )
        return self._normalize_pixels(
            weights, layer, convolve_members(x, weights[f"w{layer}"], None, stride)
        )

    def _normalize_pixels(self, weights: Weights, layer: str, x: Tensor) -> Tensor:
        g, b = self._step_rows(weights, layer, ("g", "b"))
        (members, channels), g, b = g.shape, g.reshape(-1), b.reshape(-1)
        if self.kind == "meta_batch":
            self._record_statistics(layer, _moments(x, (0, 2, 3)), members)
            mean, variance = self._step_rows(weights, layer, RUNNING)
            return _scale_and_shift(x, mean.reshape(-1), variance.reshape(-1), g, b)
        if self.kind not in BATCHES:
            # Members lie on the channel axis, so each has groups of its own.
            groups = members * group_count(self.kind, channels)
            return F.group_norm(x, groups, g, b, EPSILON)
        if self.reference is None:
            # The fused kernel; its last argument allows cuDNN, as F.batch_norm does.
            gpu = torch.backends.cudnn.enabled
            return torch.batch_norm(x, g, b, None, None, True, 0.0, EPSILON, gpu)
        mean, variance = _moments(x[: self.reference], (0, 2, 3))
        return _scale_and_shift(x, mean, variance, g, b)

    def apply_dense_layer(self, weights: Weights, layer: str, x: Tensor) -> Tensor:
        """Apply a dense layer and normalize.

        Args:
            weights: Named weights, member first.
            layer: The layer's suffix in the names.
            x: Shape (member, unit, example).

        Returns:
            Shape (member, unit, example).
        """
        (b,) = self._step_rows(weights, layer, ("b",))
        if self.kind == "none":
            return torch.baddbmm(b.unsqueeze(-1), weights[f"w{layer}"], x)
        x = torch.bmm(weights[f"w{layer}"], x)
        (g,) = self._step_rows(weights, layer, ("g",))
        if self.kind != "meta_batch":
            x = standardize_units(self.kind, x, self.reference)
            return torch.addcmul(b.unsqueeze(-1), g.unsqueeze(-1), x)
        self._record_statistics(layer, _moments(x, (2,)), len(x))
        mean, variance = self._step_rows(weights, layer, RUNNING)
        scale = g * torch.rsqrt(variance + EPSILON)
        shift = b - mean * scale
        return torch.addcmul(shift.unsqueeze(-1), scale.unsqueeze(-1), x)

    def _step_rows(
        self, weights: Weights, layer: str, names: tuple[str, ...]
    ) -> list[Tensor]:
        """Return the named tensors; for "meta_batch" their rows of this inner step.

        Running statistics are detached: no gradient moves them.
        """
        found = [
            weights[f"{n}{layer}"].detach() if n in RUNNING else weights[f"{n}{layer}"]
            for n in names
        ]
        if self.kind != "meta_batch":
            return found
        return [rows[:, min(self.step, rows.shape[1] - 1)] for rows in found]

    def _record_statistics(
        self, layer: str, found: tuple[Tensor, Tensor], members: int
    ) -> None:
        if self.statistics is not None:
            for name, value in zip(RUNNING, found, strict=True):
                self.statistics[f"{name}{layer}"] = value.detach().reshape(members, -1)


def collect_statistics(
    answers: Callable[[Weights, Tensor, Normalizer], Tensor],
    kind: str,
    weights: Weights,
    x: Tensor,
    step: int,
) -> Weights:
    """Return the batch statistics that running ones should move toward.

    Args:
        answers: The net's forward pass.
        kind: A `Normalization`.
        weights: Named weights, member first.
        x: Inputs; shape (member, feature, example).
        step: Inner step that the weights belong to.

    Returns:
        Means and variances, by the names of the running ones; shape (member, channel),
        detached. Empty unless `kind` is "meta_batch".
    """
    seen: Weights = {}
    with torch.no_grad():
        answers(weights, x, Normalizer(kind, None, step, seen))
    return seen


def group_count(kind: str, channels: int) -> int:
    """Return the number of groups that channels are normalized in.

    Args:
        kind: "layer", "group" or "instance".
        channels: Number of channels.

    >>> group_count("layer", 64), group_count("group", 64), group_count("instance", 64)
    (1, 4, 64)
    """
    if kind == "group":
        # Groups of about GROUP channels whose number divides the channels.
        return math.gcd(channels, max(1, channels // GROUP))
    return channels if kind == "instance" else 1


def standardize_units(kind: str, x: Tensor, reference: int | None = None) -> Tensor:
    """Subtract the mean of units and divide by their standard deviation.

    Args:
        kind: "none", "layer", "group", "batch" or "support_batch".
        x: Shape (member, unit, example).
        reference: Number of leading examples that batch statistics are taken from.

    Returns:
        Shape (member, unit, example).
    """
    if kind == "none":
        return x
    if kind == "group":
        grouped = x.unflatten(1, (group_count(kind, x.shape[1]), -1))
        return _center_units(grouped, grouped, 2).flatten(1, 2)
    if kind == "layer":
        return _center_units(x, x, 1)
    return _center_units(x, x[..., :reference], 2)


def _center_units(x: Tensor, seen: Tensor, over: int) -> Tensor:
    mean = seen.mean(over, keepdim=True)
    # The biased variance, as in batch normalization.
    variance = (seen - mean).square().mean(over, keepdim=True)
    return (x - mean) * torch.rsqrt(variance + EPSILON)


def _moments(x: Tensor, over: tuple[int, ...]) -> tuple[Tensor, Tensor]:
    variance, mean = torch.var_mean(x, over, correction=0)
    return mean, variance


def _scale_and_shift(
    x: Tensor, mean: Tensor, variance: Tensor, g: Tensor, b: Tensor
) -> Tensor:
    scale = g * torch.rsqrt(variance + EPSILON)
    shift = b - mean * scale
    return torch.addcmul(shift.view(1, -1, 1, 1), x, scale.view(1, -1, 1, 1))
