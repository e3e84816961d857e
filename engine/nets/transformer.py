"""Transformer: every example attends to the support, layer by layer.

Source: Vaswani et al. (2017), arXiv:1706.03762; Xiong et al. (2020),
arXiv:2002.04745, for pre-layer normalization; Ye et al. (2020), arXiv:1812.03664, for
features that depend on the support as a set.
Differs: a query sees the support and itself, never another query; no positional
encoding; an image is one token, embedded as a row of pixels.
Helps: for tasks in which the relevant features depend on the other examples.
"""

import math
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.initialization import Start, make_layout, start_knob, start_weights
from engine.nets.mlp import apply_head
from engine.nets.normalization import standardize_units
from engine.protocol import Layout, Net, Weights


@register("net")
class Transformer(Net):
    """h ← h + softmax(Q h · K h_S / √d) V h_S, then h ← h + W₂ gelu(W₁ h)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    chunk: ClassVar[int] = 32
    compares: ClassVar[bool] = True

    depth: int = knob(
        2,
        label="Layers",
        unit="layers",
        low=1,
        high=12,
        work="passes",
        help="Attention layers, each followed by a dense block.",
    )
    width: int = knob(
        64,
        label="Width",
        unit="units",
        low=8,
        high=512,
        work="area",
        help="Features per example; a multiple of the heads.",
    )
    heads: int = knob(
        4,
        label="Heads",
        unit="heads",
        low=1,
        high=16,
        help="Attention heads per layer.",
    )
    start: Start = start_knob()

    @property
    def support_statistics(self) -> bool:
        """Return True: queries attend to the support."""
        return True

    def layout(self, shape: tuple[int, ...], outputs: int) -> Layout:
        """Return the embedding, the attention layers and the head."""
        if self.width % self.heads:
            raise Refused(
                f"width {self.width} is not a multiple of {self.heads} heads; choose "
                f"{self.width // self.heads * self.heads or self.heads}",
                "net.knobs.width",
            )
        wide, features = self.width, math.prod(shape)
        layers = [{"w0": (wide, features), "b0": (wide,)}]
        for i in range(1, self.depth + 1):
            layers.append(_layer_shapes(i, wide))
        layers[-1] |= {"gz": (wide,), "bz": (wide,)}
        if outputs:
            head = self.depth + 1
            layers.append({f"w{head}": (outputs, wide), f"b{head}": (outputs,)})
        return make_layout(layers)

    def init(self, layout: Layout, rng: Rng) -> np.ndarray:
        """Draw weights as `start` says; "he" has smaller branches in deeper nets."""
        # 2 · depth branches are added to h: their variances sum to about 1.
        last = 0.5 / self.depth
        gains = {f"w{part}{i}": last for i in range(1, self.depth + 1) for part in "od"}
        return start_weights(layout, rng, self.start, 1.0, gains)

    def apply(
        self,
        weights: Weights,
        x: Tensor,
        reference: int | None = None,
        step: int = 0,
    ) -> Tensor:
        """Run the forward pass; see `Net.apply`.

        The first `reference` examples are the support; None means all of them.
        """
        h = _apply_dense(weights, "0", x)
        for i in range(1, self.depth + 1):
            h = h + self._attend(
                weights, i, _apply_layer_norm(weights, f"a{i}", h), reference
            )
            up = _apply_dense(weights, f"u{i}", _apply_layer_norm(weights, f"f{i}", h))
            h = h + _apply_dense(weights, f"d{i}", F.gelu(up))
        return apply_head(weights, _apply_layer_norm(weights, "z", h), self.depth + 1)

    def _attend(
        self, weights: Weights, i: int, h: Tensor, reference: int | None
    ) -> Tensor:
        """Attend to the support.

        The softmax is written out because fused attention has no second derivatives.
        """
        support = h[..., :reference]
        query, key, value = (
            torch.bmm(weights[f"w{name}{i}"], some).unflatten(1, (self.heads, -1))
            for name, some in (("q", h), ("k", support), ("v", support))
        )
        scores = query.mT @ key / math.sqrt(key.shape[2])
        found = value @ scores.softmax(-1).mT
        return _apply_dense(weights, f"o{i}", found.flatten(1, 2))


def _layer_shapes(i: int, wide: int) -> dict[str, tuple[int, ...]]:
    scales = {f"{name}{part}{i}": (wide,) for part in "af" for name in "gb"}
    looks = {f"w{name}{i}": (wide, wide) for name in "qkv"}
    return {
        **scales,
        **looks,
        f"wo{i}": (wide, wide),
        f"bo{i}": (wide,),
        f"wu{i}": (4 * wide, wide),
        f"bu{i}": (4 * wide,),
        f"wd{i}": (wide, 4 * wide),
        f"bd{i}": (wide,),
    }


def _apply_dense(weights: Weights, name: str, x: Tensor) -> Tensor:
    return torch.baddbmm(weights[f"b{name}"].unsqueeze(-1), weights[f"w{name}"], x)


def _apply_layer_norm(weights: Weights, name: str, h: Tensor) -> Tensor:
    g, b = weights[f"g{name}"], weights[f"b{name}"]
    return torch.addcmul(
        b.unsqueeze(-1), g.unsqueeze(-1), standardize_units("layer", h)
    )
