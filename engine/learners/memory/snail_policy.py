"""SNAIL policy: dilated convolutions and causal attention over a trial's steps.

Source: Mishra, Rohaninejad, Chen and Abbeel (2018), arXiv:1707.03141, figures 1 and 2,
and section 5.2 for its use as an agent.
Differs: a dense layer, two blocks of convolutions and one attention at the end, of 16
channels each; PPO or A2C instead of TRPO; policy and value function share the net. The
run's net is not used.
Helps: where what was seen long ago must be located exactly: any step is at most one
look back, while a recurrent state must carry it along.
"""

from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.rl.memory_agent import MemoryNet
from engine.algorithms.rl.memory_learner import MemoryLearner
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.dense import apply_dense, init_dense
from engine.protocol import TrialBatch, Weights

BLOCKS = 2  # of convolutions


class SnailMemory(MemoryNet):
    """Remembers what every layer said at each step so far.

    Args:
        inputs: Numbers that are seen at each step.
        channels: Of the dense layer, of each convolution, of keys and of values.
        layers: Convolutions of a block; the dilation doubles from one to the next.
        length: Most steps of a trial.
    """

    def __init__(self, inputs: int, channels: int, layers: int, length: int) -> None:
        self.inputs, self.channels, self.length = inputs, channels, length
        self.dilations = [2**layer for layer in range(layers)] * BLOCKS
        # Every layer's channels stay, and what is read is appended.
        self.kept = channels * (1 + len(self.dilations))
        self.features = self.kept + channels

    def init(self, rng: Rng) -> Weights:
        """Draw all layers."""
        size = self.channels
        sizes = {"embed": (self.inputs, size)}
        for layer in range(len(self.dilations)):
            # An earlier step and this one → filters and their gates.
            sizes[f"conv{layer}"] = (2 * size * (1 + layer), 2 * size)
        sizes["read"] = (self.kept, 3 * size)
        return {
            f"{name}.{key}": drawn
            for name, shape in sizes.items()
            for key, drawn in init_dense(shape, rng.child(name), last=1.0).items()
        }

    def start(self, members: int, like: Tensor) -> Weights:
        """Return empty lists of all layers' outputs, of keys and of values."""
        empty = like.new_zeros(members, 1, self.length, self.kept + 2 * self.channels)
        return {"said": empty, "count": like.new_zeros(members, 1, 1).long()}

    def advance(
        self, weights: Weights, memory: Weights, x: Tensor
    ) -> tuple[Tensor, Weights]:
        """Read one more step; only what it adds is computed."""
        groups = (len(x), -1)
        said = memory["said"][:, 0].unflatten(0, groups)
        count = memory["count"][:, 0].unflatten(0, groups)
        h = _apply(weights, "embed", x)
        for layer, dilation in enumerate(self.dilations):
            past = _at(said, count - dilation)[..., : h.shape[1]].mT
            h = _convolve(weights, layer, past, h)
        query, pair = _split(_apply(weights, "read", h), self.channels)
        row = torch.cat([h, pair], 1).mT.unsqueeze(2)
        where = count.unsqueeze(-1).expand_as(row)
        said = said.scatter(2, where, row)
        known = torch.arange(self.length, device=x.device) <= count
        key, value = said[..., self.kept :].chunk(2, -1)
        read = _attend(query.mT.unsqueeze(2), key, value, known.unsqueeze(2))
        memory = {"said": said, "count": count + 1}
        return torch.cat([h, read.squeeze(2).mT], 1), {
            name: each.flatten(0, 1).unsqueeze(1) for name, each in memory.items()
        }

    def read(self, weights: Weights, x: Tensor) -> Tensor:
        """Read whole trials in one pass."""
        h = _apply(weights, "embed", x.permute(1, 2, 3, 0))
        for layer, dilation in enumerate(self.dilations):
            h = _convolve(weights, layer, _shift(h, dilation), h)
        query, pair = _split(_apply(weights, "read", h), self.channels)
        # (group, channel, trial, step) → (group, trial, step, channel)
        asked, key, value = (
            each.permute(0, 2, 3, 1) for each in (query, *pair.chunk(2, 1))
        )
        known = torch.ones(len(x), len(x), device=x.device).tril() > 0
        read = _attend(asked, key, value, known).permute(0, 3, 1, 2)
        return torch.cat([h, read], 1).permute(3, 0, 1, 2)


def _apply(weights: Weights, name: str, h: Tensor) -> Tensor:
    """Apply a dense layer to every item; h has shape (group, channel, …)."""
    done = apply_dense(weights, h.flatten(2), f"{name}.")
    return done.unflatten(2, h.shape[2:])


def _convolve(weights: Weights, layer: int, past: Tensor, h: Tensor) -> Tensor:
    """Append the gated convolution of an earlier step and this one.

    Args:
        weights: Of all layers.
        layer: Which convolution.
        past: Channels of the earlier step; shape (group, channel, …).
        h: Channels of this one; same shape.
    """
    both = _apply(weights, f"conv{layer}", torch.cat([past, h], 1))
    part, gate = both.chunk(2, 1)
    return torch.cat([h, part.tanh() * gate.sigmoid()], 1)


def _split(read: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return queries, and keys with values; the channels are axis 1."""
    return read[:, :size], read[:, size:]


def _shift(h: Tensor, steps: int) -> Tensor:
    """Return each step's channels some steps earlier; 0 before the first."""
    length = h.shape[-1]
    none = torch.zeros_like(h[..., : min(steps, length)])
    return torch.cat([none, h[..., : max(0, length - steps)]], -1)


def _at(said: Tensor, step: Tensor) -> Tensor:
    """Return what was said at one step of each trial; 0 before the first.

    Args:
        said: Shape (group, trial, step, channel).
        step: int64, shape (group, trial, 1).

    Returns:
        Shape (group, trial, channel).
    """
    index = step.clamp(min=0).unsqueeze(-1).expand(-1, -1, -1, said.shape[-1])
    return said.gather(2, index).squeeze(2) * (step >= 0)


def _attend(query: Tensor, key: Tensor, value: Tensor, known: Tensor) -> Tensor:
    """Return what is read.

    Args:
        query: Shape (group, trial, query, channel).
        key: Shape (group, trial, step, channel).
        value: Same shape.
        known: Which steps a query may read; broadcasts to (group, trial, query, step).
    """
    scores = query @ key.mT / query.shape[-1] ** 0.5
    # −∞ has no weight at all; each query knows itself at least.
    return scores.masked_fill(~known, -torch.inf).softmax(-1) @ value


@register("learner")
class SnailPolicy(MemoryLearner):
    """h_t ← [h_t, tanh(f_t) σ(g_t)], (f_t, g_t) = W [h_{t−d}, h_t], and attention."""

    version: ClassVar[int] = 2
    short: ClassVar[str] = "SNAIL"
    hue: ClassVar[str] = "brown"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = True

    channels: int = knob(
        16,
        label="Channels",
        low=1,
        high=256,
        work="size",
        help="Of the first layer, of each convolution, of keys and of values.",
    )
    layers: int = knob(
        4,
        label="Convolutions",
        unit="per block",
        low=1,
        high=12,
        work="passes",
        help="Their dilation doubles each time: n of them reach 2ⁿ − 1 steps back; "
        "attention reads all steps.",
    )

    def memory_net(self, inputs: int, tasks: TrialBatch) -> MemoryNet:
        """Return the net, with room for the whole trial."""
        length = tasks.horizon * tasks.steps
        return SnailMemory(inputs, self.channels, self.layers, length)
