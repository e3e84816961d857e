"""In-context transformer: reads the support as tokens and adapts in its activations.

Source: Garg, Tsipras, Liang and Valiant (2022), arXiv:2208.01066, for learning in
context; Ahn, Cheng, Daneshmand and Sra (2023), arXiv:2306.00297, and Zhang, Frei and
Bartlett (2024), arXiv:2306.09927, for linear attention; Xiong et al. (2020),
arXiv:2002.04745, for normalization before each block.
Differs: an example and its target are one token, two in Garg et al., and usual episodes
are read in both directions, so that without positions the order of the support does not
matter. Two layers of 64 by default; their GPT-2 has twelve of 256. As in theory, linear
attention has no layer normalization.
Helps: where the inference from examples can itself be learned, as in regression: no
step is taken at test. It needs many training tasks; longer supports than trained for
are answered worse.
"""

from typing import ClassVar, Literal

import torch.nn.functional as F
from torch import Tensor

from engine.algorithms.few_shot.token_layers import (
    PREFIX,
    TokenBatch,
    apply_layer,
    attend,
    normalize_channels,
    tokens_of,
)
from engine.algorithms.few_shot.token_learner import READ_OUT, TokenLearner
from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.nets.initialization import Shapes
from engine.protocol import EpisodeBatch, Weights


@register("learner")
class Transformer(TokenLearner):
    """h ← h + V h_S · a(K h_S, Q h), then h ← h + W₂ gelu(W₁ h); S: support and h."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "blue"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    attention: Literal["softmax", "linear"] = knob(
        "softmax",
        label="Attention",
        help="softmax, or linear: the scores themselves, divided by the number of "
        "examples, and no layer normalization.",
    )
    layers: int = knob(
        2,
        label="Layers",
        unit="layers",
        low=1,
        high=12,
        work="passes",
        help="Attention layers, each followed by a dense block if it has units.",
    )
    width: int = knob(
        64,
        label="Width",
        unit="channels",
        low=4,
        high=512,
        work="size",
        help="Channels of each token; a multiple of the heads.",
    )
    heads: int = knob(
        4, label="Heads", unit="heads", low=1, high=16, help="Heads of each layer."
    )
    hidden: int = knob(
        128,
        label="Dense block",
        unit="units",
        low=0,
        high=2048,
        work="size",
        help="Hidden units of the block after each attention layer; 0 leaves it out.",
    )
    positions: Literal["none", "learned"] = knob(
        "none",
        label="Positions",
        help="Whether each place in the support has a learned vector; examples beyond "
        "the support's length at the start have none.",
    )

    def read(self, theta: Weights, tasks: EpisodeBatch) -> tuple[Tensor, Tensor]:
        """Let each layer attend, then transform each token."""
        tokens = tokens_of(theta, tasks, ordered=False)
        h = self._place(theta, apply_layer(theta, "in", tokens.values), tokens)
        for i in range(self.layers):
            read, weights = self._attend(theta, i, h, tokens)
            h = h + read
            if self.hidden:
                up = apply_layer(theta, f"u{i}", self._norm(theta, f"dense{i}", h))
                h = h + apply_layer(theta, f"d{i}", F.gelu(up))
        asked = self._norm(theta, "last", h[..., tasks.support.count :])
        return apply_layer(theta, READ_OUT, asked), weights

    def _place(self, theta: Weights, h: Tensor, tokens: TokenBatch) -> Tensor:
        """Add what is learned for each position, if it is."""
        if self.positions == "none":
            return h
        known = theta[f"{PREFIX}bplace"]
        last = known.shape[2] - 1
        places = known.index_select(2, tokens.positions.clamp(max=last))
        return h + places * (tokens.positions <= last)

    def _attend(
        self, theta: Weights, i: int, h: Tensor, tokens: TokenBatch
    ) -> tuple[Tensor, Tensor]:
        """Return what a layer reads, shape (member, channel, item), and its weights."""
        normal = self._norm(theta, f"attend{i}", h)
        found = apply_layer(theta, f"read{i}", normal)
        query, key, value = found.unflatten(1, (3, self.heads, -1)).unbind(1)
        linear = self.attention == "linear"
        read, weights = attend(query, key, value, tokens.visible, linear=linear)
        return apply_layer(theta, f"o{i}", read.flatten(1, 2)), weights

    def _norm(self, theta: Weights, name: str, h: Tensor) -> Tensor:
        """Normalize the channels of each item; linear attention has no such layers."""
        if self.attention == "linear":
            return h
        return normalize_channels(theta, name, h)

    def layer_shapes(self, channels: int, tasks: EpisodeBatch) -> Shapes:
        """Return the weights of all layers.

        Raises:
            Refused: If the width is not a multiple of the heads.
        """
        if self.width % self.heads:
            raise Refused(
                f"width {self.width} is not a multiple of {self.heads} heads; choose "
                f"{max(self.width // self.heads, 1) * self.heads}",
                "width",
            )
        shapes: Shapes = {
            "win": (self.width, channels),
            f"w{READ_OUT}": (tasks.outputs, self.width),
            f"b{READ_OUT}": (tasks.outputs,),
        }
        if self.positions == "learned":
            # One more than the support has: a query comes after it.
            shapes["bplace"] = (self.width, tasks.support.count + 1)
        return shapes | self._block_shapes()

    def _block_shapes(self) -> Shapes:
        """Return the weights of attention, dense blocks and normalizations."""
        wide, norms = self.width, ["last"]
        shapes: Shapes = {}
        for i in range(self.layers):
            norms.append(f"attend{i}")
            # Queries, keys and values of attention, in this order; then its output.
            shapes |= {f"wread{i}": (3 * wide, wide), f"wo{i}": (wide, wide)}
            if self.hidden:
                norms.append(f"dense{i}")
                shapes |= {f"wu{i}": (self.hidden, wide), f"bu{i}": (self.hidden,)}
                shapes |= {f"wd{i}": (wide, self.hidden), f"bd{i}": (wide,)}
        if self.attention == "softmax":
            shapes |= {f"{kind}{name}": (wide,) for name in norms for kind in "gb"}
        return shapes

    def layer_gains(self, shapes: Shapes) -> dict[str, float]:
        """Return the gains of branches that are added: variances sum to about 1."""
        last = 0.5 / self.layers
        return {f"w{kind}{i}": last for kind in "od" for i in range(self.layers)}
