"""Small landscapes in float64, where an identity can be told from a coincidence."""

import pytest
import torch

import engine.estimators
import engine.learners
from engine.contract.registry import import_modules
from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, OptimizationBatch, Setting
from engine.tasks.optimization.mixtures import Mixtures
from tests.learners.bowls import Draw

import_modules(engine.learners)
import_modules(engine.estimators)
torch.set_num_threads(1)


@pytest.fixture
def draw() -> Draw:
    """Return a function that draws small tasks: replicates, tasks, horizon, net."""

    def drawn(
        replicates: int = 1, tasks: int = 3, horizon: int = 50, **net: object
    ) -> OptimizationBatch:
        base = Mlp(**{"width": 5, "activation": "tanh", **net})
        setting = Setting(Mixtures(examples=16, held_out=8), base, horizon)
        rngs = [Rng(5).child(r, t) for r in range(replicates) for t in range(tasks)]
        place = BatchSpec(replicates, dtype=torch.float64)
        return setting.family.draw(setting, rngs, "train", place)

    return drawn
