"""Tower: a dense net of narrowing layers, for images without convolutions.

Source: Santoro et al. (2016), then Finn, Abbeel and Levine (2017), arXiv:1703.03400,
section 5.2: 256, 128, 64 and 64 units for Omniglot.
Differs: the normalization can be chosen; the papers use batch normalization.
Helps: for quick few-shot runs on images: a thirtieth of the time of Conv-4.
"""

import itertools
import math
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.initialization import Start, make_layout, start_knob, start_weights
from engine.nets.mlp import apply_head
from engine.nets.normalization import (
    UNIT_HELP,
    Normalizer,
    UnitNormalization,
    collect_statistics,
    norm_shapes,
    norm_steps_knob,
)
from engine.protocol import Layout, Net, Weights


@register("net")
class Tower(Net):
    """h ← relu(norm(W h)), each layer half as wide as the last; the head is linear."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    chunk: ClassVar[int] = 32

    depth: int = knob(
        4,
        label="Hidden layers",
        unit="layers",
        low=1,
        high=8,
        work="passes",
        help="Number of hidden layers.",
    )
    widest: int = knob(
        256,
        label="Widest layer",
        unit="units",
        low=8,
        high=1024,
        work="size",
        help="Units in the first hidden layer; each further layer has half as many.",
    )
    narrowest: int = knob(
        64,
        label="Narrowest layer",
        unit="units",
        low=4,
        high=1024,
        work="size",
        help="Smallest number of units in a layer; also the number of features.",
    )
    normalization: UnitNormalization = knob(
        "batch", label="Normalization", help=UNIT_HELP
    )
    norm_steps: int = norm_steps_knob()
    start: Start = start_knob()

    @property
    def support_statistics(self) -> bool:
        """Return whether a query is normalized by its support's statistics."""
        return self.normalization == "support_batch"

    def layout(self, shape: tuple[int, ...], outputs: int) -> Layout:
        """Return w0, then scale and shift, …; the head is the last w and b."""
        # >> i halves i times, rounding down.
        halves = [max(self.narrowest, self.widest >> i) for i in range(self.depth)]
        widths = [math.prod(shape), *halves]
        layers = [
            {f"w{i}": (fan_out, fan_in)}
            | norm_shapes(self.normalization, str(i), fan_out, self.norm_steps)
            for i, (fan_in, fan_out) in enumerate(itertools.pairwise(widths))
        ]
        if outputs:
            head = self.depth
            layers.append({f"w{head}": (outputs, widths[-1]), f"b{head}": (outputs,)})
        return make_layout(layers)

    def init(self, layout: Layout, rng: Rng) -> np.ndarray:
        """Draw weights as `start` says; with "he" the head keeps the variance."""
        return start_weights(layout, rng, self.start, 2.0, {f"w{self.depth}": 1.0})

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
        for i in range(self.depth):
            x = torch.relu(norm.apply_dense_layer(weights, str(i), x))
        return apply_head(weights, x, self.depth)
