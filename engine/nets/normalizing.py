"""Normalization of hidden units, member first: what is counted, scaled and shifted.

Source: Ioffe and Szegedy (2015), arXiv:1502.03167, for batches; Ba, Kiros and Hinton
(2016), arXiv:1607.06450, for layers; Ulyanov, Vedaldi and Lempitsky (2016),
arXiv:1607.08022, for instances; Wu and He (2018), arXiv:1803.08494, for groups;
Antoniou, Edwards and Storkey (2019), arXiv:1810.09502, for statistics, scale and
shift by inner step.
Differs: a batch keeps no running statistics, except those by inner step, which
normalize in training as at test: a net has no modes.
"""

import math
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.contract.knobs import knob
from engine.nets.starting import RUNNING
from engine.protocol import Weights

Normalization = Literal[
    "none", "batch", "support_batch", "layer", "instance", "group", "meta_batch"
]
EPSILON = 1e-5
GROUP = 16  # channels that share their statistics
HELP = (
    "What a unit is compared with: others' examples, queries included (batch), the "
    "support's (support_batch), its own example (layer, instance, group), or "
    "statistics kept by inner step (meta_batch)."
)


def norm_steps() -> int:
    """Declare for how many inner steps statistics are kept."""
    return knob(  # type: ignore[no-any-return]
        6, label="Steps with statistics of their own", unit="steps", low=1, high=64,
        advanced=True, help="Of meta_batch: the start and each inner step; later ones "
        "use the last.",
    )  # fmt: skip


def norm_shapes(
    kind: str, layer: str, channels: int, steps: int
) -> dict[str, tuple[int, ...]]:
    """Name what a layer has beside its weights.

    Returns:
        The shift `b`, the scale `g` where units are normalized, and the running
        `mean` and `variance` of each inner step where they are kept.
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
        reference: How many leading examples a batch's statistics are taken from.
        step: Inner step that the weights are of.
        seen: Where the statistics of this batch are noted, if they are wanted.
    """

    kind: str
    reference: int | None = None
    step: int = 0
    seen: Weights | None = None

    def pixels(self, weights: Weights, layer: str, x: Tensor) -> Tensor:
        """Normalize, scale and shift; x is (example, member · channel, row, column)."""
        g, b = (self._now(weights[f"{name}{layer}"]) for name in "gb")
        members, channels = g.shape
        g, b = g.reshape(-1), b.reshape(-1)
        if self.kind == "meta_batch":
            self._note(layer, x, members)
            mean, variance = (
                self._now(weights[f"{name}{layer}"]).detach().reshape(-1)
                for name in RUNNING
            )
            return _affine(x, mean, variance, g, b)
        if self.kind in ("batch", "support_batch"):
            if self.reference is None:
                return torch.batch_norm(
                    x,
                    g,
                    b,
                    None,
                    None,
                    True,
                    0.0,
                    EPSILON,
                    torch.backends.cudnn.enabled,
                )
            variance, mean = torch.var_mean(
                x[: self.reference], (0, 2, 3), correction=0
            )
            return _affine(x, mean, variance, g, b)
        return F.group_norm(x, members * groups_of(self.kind, channels), g, b, EPSILON)

    def _now(self, values: Tensor) -> Tensor:
        """Choose this inner step's row where there is one a step."""
        if self.kind != "meta_batch":
            return values
        return values[:, min(self.step, values.shape[1] - 1)]

    @torch.no_grad()
    def _note(self, layer: str, x: Tensor, members: int) -> None:
        if self.seen is None:
            return
        variance, mean = torch.var_mean(x, (0, 2, 3), correction=0)
        self.seen[f"mean{layer}"] = mean.view(members, -1)
        self.seen[f"variance{layer}"] = variance.view(members, -1)


def groups_of(kind: str, channels: int) -> int:
    """Return in how many groups channels are normalized.

    >>> groups_of("layer", 64), groups_of("group", 64), groups_of("instance", 64)
    (1, 4, 64)
    """
    if kind == "group":
        return math.gcd(channels, max(1, channels // GROUP))
    return channels if kind == "instance" else 1


def _affine(x: Tensor, mean: Tensor, variance: Tensor, g: Tensor, b: Tensor) -> Tensor:
    scale = g * torch.rsqrt(variance + EPSILON)
    shift = b - mean * scale
    return torch.addcmul(shift.view(1, -1, 1, 1), x, scale.view(1, -1, 1, 1))
