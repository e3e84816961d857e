"""Draws for the tests of tasks: a setting, streams, float64."""

import torch

from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Family, OptimizationBatch, Setting

DOUBLE = BatchSpec(dtype=torch.float64)


def streams(count: int, seed: int = 5) -> list[Rng]:
    """Return some tasks' streams."""
    return [Rng(seed).child("test", 0, task) for task in range(count)]


def setting(family: Family, horizon: int = 20, **net: object) -> Setting:
    """Return a family with a small base learner."""
    return Setting(family, Mlp(**({"width": 4} | net)), horizon)  # type: ignore[arg-type]


def drawn(family: Family, count: int = 4, horizon: int = 20) -> OptimizationBatch:
    """Draw some tasks in float64."""
    return family.draw(setting(family, horizon), streams(count), "test", DOUBLE)
