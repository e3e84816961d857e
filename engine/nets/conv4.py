"""Conv-4: four convolutional blocks, the standard net for few-shot image tasks.

Source: Vinyals et al. (2016), arXiv:1606.04080, section 4.1; Finn, Abbeel and Levine
(2017), arXiv:1703.03400, section 5.2, for strides; Hu, Shen and Sun (2018),
arXiv:1709.01507, for squeeze and excitation.
Differs: pools before the rectifier, which gives the same result and is faster; does not
pool a single pixel.
Helps: for small images; most published figures use this net.
"""

from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.batched_convolution import (
    apply_excitation,
    check_pixels,
    excitation_shapes,
    image_sides,
    pool_halves,
    to_features,
    to_images,
)
from engine.nets.initialization import (
    Shapes,
    Start,
    make_layout,
    start_knob,
    start_weights,
)
from engine.nets.mlp import apply_head
from engine.nets.normalization import (
    HELP,
    Normalization,
    Normalizer,
    collect_statistics,
    norm_shapes,
    norm_steps_knob,
)
from engine.protocol import Layout, Net, Weights

BLOCKS = 4


@register("net")
class Conv4(Net):
    """h ← relu(pool(norm(W ∗ h))), four times; the head is linear in what is left."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    chunk: ClassVar[int] = 1
    images: ClassVar[bool] = True

    filters: int = knob(
        64,
        label="Filters",
        unit="channels",
        low=8,
        high=256,
        work="area",
        help="Channels of each convolution; 32 and 48 are common with color images.",
    )
    normalization: Normalization = knob("batch", label="Normalization", help=HELP)
    downsample: Literal["pool", "stride"] = knob(
        "pool",
        label="Halving",
        advanced=True,
        help="How a block halves the image: 2 × 2 max pooling, or strides of 2 with a "
        "mean over the last pixels, as in MAML's net for Omniglot.",
    )
    squeeze: bool = knob(
        False,
        label="Squeeze and excitation",
        advanced=True,
        help="Scale each block's channels by weights computed from the whole image.",
    )
    norm_steps: int = norm_steps_knob()
    start: Start = start_knob()

    @property
    def support_statistics(self) -> bool:
        """Return whether a query is normalized by its support's statistics."""
        return self.normalization == "support_batch"

    def layout(self, shape: tuple[int, ...], outputs: int) -> Layout:
        """Return w0, then scale and shift, …; the head is w4 and b4."""
        channels, side = image_sides(shape, 4)
        layers: list[Shapes] = []
        for i in range(BLOCKS):
            fan_in = self.filters if i else channels
            layer: Shapes = {f"w{i}": (self.filters, fan_in, 3, 3)}
            layer |= norm_shapes(
                self.normalization, str(i), self.filters, self.norm_steps
            )
            layer |= excitation_shapes(str(i), self.filters) if self.squeeze else {}
            layers.append(layer)
            # A stride rounds an odd side up, pooling rounds it down.
            rough = self.downsample == "stride"
            # A strided block normalizes after halving, a pooled one before.
            check_pixels(self.normalization, (side + 1) // 2 if rough else side)
            side = max(1, (side + rough) // 2)
        left = self.filters * (1 if self.downsample == "stride" else side * side)
        if outputs:
            layers.append({f"w{BLOCKS}": (outputs, left), f"b{BLOCKS}": (outputs,)})
        return make_layout(layers)

    def init(self, layout: Layout, rng: Rng) -> np.ndarray:
        """Draw weights as `start` says; with "he" the head keeps the variance."""
        return start_weights(layout, rng, self.start, 2.0, {f"w{BLOCKS}": 1.0})

    def apply(
        self,
        weights: Weights,
        x: Tensor,
        reference: int | None = None,
        step: int = 0,
    ) -> Tensor:
        """Run the forward pass; see `Net.apply`."""
        return self._forward(
            weights, x, Normalizer(self.normalization, reference, step)
        )

    def statistics(self, weights: Weights, x: Tensor, step: int = 0) -> Weights:
        """Return the batch statistics that running ones should move toward."""
        return collect_statistics(self._forward, self.normalization, weights, x, step)

    def _forward(self, weights: Weights, x: Tensor, norm: Normalizer) -> Tensor:
        h = to_images(x, weights["w0"].shape[2])
        for i in range(BLOCKS):
            h = self._block(weights, str(i), h, norm)
        if self.downsample == "stride":
            h = h.mean((2, 3))
        return apply_head(weights, to_features(h, len(x)), BLOCKS)

    def _block(self, weights: Weights, i: str, h: Tensor, norm: Normalizer) -> Tensor:
        stride = 2 if self.downsample == "stride" else 1
        h = norm.convolve(weights, i, h, stride)
        if self.squeeze:
            h = apply_excitation(weights, i, h)
        # relu is monotonic, so it commutes with max pooling: a quarter of the work.
        return torch.relu(pool_halves(h) if self.downsample == "pool" else h)
