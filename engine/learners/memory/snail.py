"""SNAIL: temporal convolutions collect the past, causal attention finds what matters.

Source: Mishra, Rohaninejad, Chen and Abbeel (2018), arXiv:1707.03141, figures 1 and 2
and appendix C.1 for the order of the blocks.
Differs: 16 filters, and keys and values of 16 throughout; the paper has 128 filters,
keys of 64, 256 and 512, and values of half that. The embedding is the run's net. The
episodes of a meta-step share a random order of their support, because episodes list
their classes one after the other.
Helps: where the order of examples matters, or where what is read must be located
exactly. Dilations cover the support at the start; a longer one is read by attention
alone beyond that reach.
"""

from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.sequences import shuffle_support
from engine.algorithms.few_shot.token_layers import (
    PREFIX,
    TokenBatch,
    apply_layer,
    attend,
    shift_back,
    tokens_of,
)
from engine.algorithms.few_shot.token_learner import READ_OUT, TokenLearner
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.initialization import Shapes
from engine.protocol import EpisodeBatch, TaskBatch, Weights

BLOCKS = 2  # of convolutions, each after attention; a third attention comes last


@register("learner")
class Snail(TokenLearner):
    """h_t ← [h_t, tanh(f_t) σ(g_t)], (f_t, g_t) = W [h_{t−d}, h_t], and attention."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "SNAIL"
    hue: ClassVar[str] = "brown"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    filters: int = knob(
        16,
        label="Filters",
        unit="channels",
        low=1,
        high=256,
        work="size",
        help="Channels that each dilated convolution adds; 128 in the paper.",
    )
    keys: int = knob(
        16,
        label="Key size",
        unit="channels",
        low=1,
        high=512,
        help="Size of the keys and queries of attention; 64 to 512 in the paper.",
    )
    values: int = knob(
        16,
        label="Value size",
        unit="channels",
        low=1,
        high=512,
        help="Channels that each attention block adds; 32 to 256 in the paper.",
    )

    def training_tasks(self, tasks: TaskBatch, rng: Rng) -> TaskBatch:
        """Return the episodes with their supports in a random order."""
        assert isinstance(tasks, EpisodeBatch)
        return shuffle_support(tasks, rng)

    def read(self, theta: Weights, tasks: EpisodeBatch) -> tuple[Tensor, Tensor]:
        """Alternate attention and convolutions, then attend once more."""
        tokens = tokens_of(theta, tasks, ordered=True)
        h = tokens.values
        for block in range(BLOCKS):
            h, _ = self._attend(theta, block, h, tokens)
            h = _convolve(theta, block, h, tokens)
        h, weights = self._attend(theta, BLOCKS, h, tokens)
        return apply_layer(theta, READ_OUT, h[..., tasks.support.count :]), weights

    def _attend(
        self, theta: Weights, block: int, h: Tensor, tokens: TokenBatch
    ) -> tuple[Tensor, Tensor]:
        """Append what is read to the channels; also return the attention's weights."""
        found = apply_layer(theta, f"read{block}", h).unsqueeze(1)
        query, key, value = found.split((self.keys, self.keys, self.values), 2)
        read, weights = attend(query, key, value, tokens.visible)
        return torch.cat([h, read.squeeze(1)], 1), weights

    def layer_shapes(self, channels: int, tasks: EpisodeBatch) -> Shapes:
        """Return the weights of all attentions, convolutions and the read-out."""
        # Layers of dilation 1, 2, 4, … reach over the support from the query after it.
        dilations = tasks.support.count.bit_length()
        shapes: Shapes = {}
        for block in range(BLOCKS + 1):
            # Queries, keys and values of attention, in this order.
            size = 2 * self.keys + self.values
            shapes |= {f"wread{block}": (size, channels), f"bread{block}": (size,)}
            channels += self.values
            for layer in range(dilations if block < BLOCKS else 0):
                # Filters and their gates, of an earlier item and of this one.
                gated = 2 * self.filters
                shapes[f"wpast{block}.{layer}"] = (gated, channels)
                shapes[f"wnow{block}.{layer}"] = (gated, channels)
                shapes[f"bnow{block}.{layer}"] = (gated,)
                channels += self.filters
        shapes[f"w{READ_OUT}"] = (tasks.outputs, channels)
        return shapes | {f"b{READ_OUT}": (tasks.outputs,)}

    def layer_gains(self, shapes: Shapes) -> dict[str, float]:
        """Return the gains of convolutions, of which both halves add up."""
        return {n: 0.5 for n in shapes if n.startswith(("wpast", "wnow"))}


def _convolve(theta: Weights, block: int, h: Tensor, tokens: TokenBatch) -> Tensor:
    """Append the gated convolutions of all dilations, each of all before it."""
    # As many as there were at the start, whatever the length of this support is.
    layers = sum(name.startswith(f"{PREFIX}wpast{block}.") for name in theta)
    for layer in range(layers):
        past = apply_layer(theta, f"past{block}.{layer}", h)
        now = apply_layer(theta, f"now{block}.{layer}", h)
        part, gate = (now + shift_back(past, tokens, 2**layer)).chunk(2, 1)
        h = torch.cat([h, part.tanh() * gate.sigmoid()], 1)
    return h
