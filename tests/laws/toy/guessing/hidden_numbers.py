"""Hidden numbers: one number to be guessed, near 3."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import torch
from torch import Tensor

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import BatchSpec, Family, Setting, TaskBatch, generator


@dataclass
class Games(TaskBatch):
    """Hidden numbers side by side; shape (member,)."""

    hidden: Tensor
    replicates: int
    horizon: int
    chunk: int = 64

    @property
    def members(self) -> int:
        """How many games run side by side."""
        return len(self.hidden)

    def take(self, index: Sequence[int]) -> Self:
        """Return some games as one replicate."""
        return type(self)(self.hidden[list(index)], 1, self.horizon)


@register("family")
class HiddenNumbers(Family):
    """x ~ N(3, 1)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"guessing"})
    kind: ClassVar[str] = "guessing"
    output: ClassVar[str] = "none"
    uses_net: ClassVar[bool] = False

    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, batch_spec: BatchSpec
    ) -> TaskBatch:
        """Draw one number per stream."""
        drawn = [3.0 + generator(rng.child("hidden")).standard_normal() for rng in rngs]
        hidden = torch.tensor(drawn, dtype=torch.float32)
        return Games(hidden, batch_spec.replicates, setting.horizon)
