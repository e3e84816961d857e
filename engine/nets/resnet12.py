"""ResNet-12: four residual blocks of three convolutions, for few-shot learning.

Source: He et al. (2016), arXiv:1512.03385, for residual blocks; Oreshkin, Rodriguez and
Lacoste (2018), arXiv:1805.10123, and Lee et al. (2019), arXiv:1904.03758, for these
twelve layers; Hu, Shen and Sun (2018), arXiv:1709.01507, for squeeze and excitation.
Differs: neither dropout nor DropBlock; pools before the rectifier, which gives the same
result.
Helps: for color images of 84 × 84; the tiny size can be trained without a GPU.
"""

from typing import ClassVar, Literal

import numpy as np
import torch.nn.functional as F
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
from engine.nets.initialization import Start, make_layout, start_knob, start_weights
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

WIDTHS = {
    "tiny": (16, 32, 64, 128),
    "small": (64, 128, 256, 512),
    "wide": (64, 160, 320, 640),
}
BLOCKS, CONVOLUTIONS = 4, 3
HEAD = BLOCKS * CONVOLUTIONS
LEAK = 0.1
# A leaky rectifier keeps (1 + leak²) / 2 of the mean square; this makes up for it.
GAIN = 2 / (1 + LEAK**2)


@register("net")
class Resnet12(Net):
    """h ← leaky(pool(U ∗ h + W₃ ∗ leaky(W₂ ∗ leaky(W₁ ∗ h)))), each normalized."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    chunk: ClassVar[int] = 1
    images: ClassVar[bool] = True

    size: Literal["tiny", "small", "wide"] = knob(
        "small",
        label="Widths",
        help="Channels of the blocks: 16-32-64-128, 64-128-256-512 or 64-160-320-640.",
    )
    normalization: Normalization = knob("batch", label="Normalization", help=HELP)
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
        """Return layers w0 to w11; a block's first also holds its shortcut, wu."""
        channels, side = image_sides(shape, 4)
        layers = []
        for block, width in enumerate(WIDTHS[self.size]):
            check_pixels(self.normalization, side)
            for j in range(CONVOLUTIONS):
                fan_in = width if j else channels
                layers.append(
                    self._layer_shapes(f"{block * CONVOLUTIONS + j}", fan_in, width, 3)
                )
            layers[-CONVOLUTIONS] |= self._layer_shapes(f"u{block}", channels, width, 1)
            if self.squeeze:
                layers[-1] |= excitation_shapes(str(block), width)
            channels, side = width, max(1, side // 2)
        if outputs:
            layers.append({f"w{HEAD}": (outputs, channels), f"b{HEAD}": (outputs,)})
        return make_layout(layers)

    def _layer_shapes(
        self, layer: str, fan_in: int, width: int, kernel: int
    ) -> dict[str, tuple[int, ...]]:
        return {f"w{layer}": (width, fan_in, kernel, kernel)} | norm_shapes(
            self.normalization, layer, width, self.norm_steps
        )

    def init(self, layout: Layout, rng: Rng) -> np.ndarray:
        """Draw weights as `start` says; "he" keeps the mean square, sums included."""
        last = [f"w{block * CONVOLUTIONS + 2}" for block in range(BLOCKS)]
        short = [f"wu{block}" for block in range(BLOCKS)]
        # Two summands of equal variance, then the rectifier: half the gain each.
        gains = dict.fromkeys([*last, *short], GAIN / 2)
        return start_weights(layout, rng, self.start, GAIN, gains | {f"w{HEAD}": 1.0})

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
        for block in range(BLOCKS):
            h = self._block(weights, block, h, norm)
        return apply_head(weights, to_features(h.mean((2, 3)), len(x)), HEAD)

    def _block(
        self, weights: Weights, block: int, h: Tensor, norm: Normalizer
    ) -> Tensor:
        short = norm.convolve(weights, f"u{block}", h)
        for j in range(CONVOLUTIONS):
            h = F.leaky_relu(h, LEAK) if j else h
            h = norm.convolve(weights, f"{block * CONVOLUTIONS + j}", h)
        if self.squeeze:
            h = apply_excitation(weights, str(block), h)
        # A leaky rectifier is monotonic, so it commutes with max pooling.
        return F.leaky_relu(pool_halves(h + short), LEAK)
