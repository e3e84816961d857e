"""Every hand-made optimizer is torch.optim's, step for step."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    SequentialLR,
)

from engine.contract.registry import part
from engine.contract.rng import Rng
from engine.protocol import Learner, OptimizationBatch
from engine.protocol.member_chunks import join_segments
from tests.learners.bowls import Draw, random_bowls

# A rate at which no rule rattles around its minimum: there rounding is amplified.
HORIZON = 54
PAIRS: dict[str, tuple[str, dict[str, Any], type, dict[str, Any]]] = {
    "sgd": ("sgd", {}, torch.optim.SGD, {}),
    "momentum": ("momentum", {"mu": 0.8}, torch.optim.SGD, {"momentum": 0.8}),
    "damped momentum": (
        "momentum",
        {"mu": 0.9, "dampening": 0.4},
        torch.optim.SGD,
        {"momentum": 0.9, "dampening": 0.4},
    ),
    "nesterov": (
        "nesterov",
        {"mu": 0.9},
        torch.optim.SGD,
        {"momentum": 0.9, "nesterov": True},
    ),
    "adam": ("adam", {}, torch.optim.Adam, {}),
    "adam with other decays": (
        "adam",
        {"beta1": 0.7, "beta2": 0.95, "eps": 1e-3},
        torch.optim.Adam,
        {"betas": (0.7, 0.95), "eps": 1e-3},
    ),
    "adamw": ("adamw", {"decay": 0.3}, torch.optim.AdamW, {"weight_decay": 0.3}),
    "rmsprop": ("rmsprop", {"alpha": 0.9}, torch.optim.RMSprop, {"alpha": 0.9}),
    "adagrad": ("adagrad", {"decay": 0.2}, torch.optim.Adagrad, {"lr_decay": 0.2}),
}


def warmup_then_cosine(optimizer: torch.optim.Optimizer) -> LRScheduler:
    warm = HORIZON // 10
    rise = LinearLR(optimizer, start_factor=1 / warm, total_iters=warm - 1)
    fall = CosineAnnealingLR(optimizer, HORIZON - warm)
    return SequentialLR(optimizer, [rise, fall], [warm])


SCHEDULES: dict[str, Callable[[torch.optim.Optimizer], LRScheduler]] = {
    "constant": lambda o: LambdaLR(o, lambda step: 1.0),
    "step": lambda o: MultiStepLR(
        o, [math.ceil(HORIZON / 2), math.ceil(HORIZON * 3 / 4)]
    ),
    "cosine": lambda o: CosineAnnealingLR(o, HORIZON),
    "warmup_cosine": warmup_then_cosine,
}


def our_path(learner: Learner, tasks: OptimizationBatch) -> torch.Tensor:
    meta = learner.init([Rng(0)], tasks)
    path = join_segments(list(learner.adapt(meta, tasks, path=True))).path
    assert path is not None
    return path


def torch_path(
    optimizer: type, knobs: dict[str, Any], schedule: str, tasks: OptimizationBatch
) -> torch.Tensor:
    weights = torch.nn.Parameter(tasks.start().clone())
    rule = optimizer([weights], **knobs)
    plan = SCHEDULES[schedule](rule)
    path = [weights.detach().clone()]
    for step in range(HORIZON):
        weights.grad = tasks.gradient(weights.detach(), step).grad
        rule.step()
        plan.step()
        path.append(weights.detach().clone())
    return torch.stack(path, 1)


@pytest.mark.filterwarnings("ignore:The epoch parameter:UserWarning")
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("pair", PAIRS)
def test_a_hand_made_optimizer_is_torchs_step_for_step(
    pair: str, schedule: str, draw: Draw
) -> None:
    name, knobs, optimizer, theirs = PAIRS[pair]
    learner = part("learner", name)(lr=0.02, schedule=schedule, **knobs)
    for tasks in (random_bowls(3, horizon=HORIZON), draw(tasks=2, horizon=HORIZON)):
        path = torch_path(optimizer, {"lr": 0.02, **theirs}, schedule, tasks)
        assert (our_path(learner, tasks) - path).abs().max() < 1e-10
        assert (path[:, 0] - path[:, -1]).abs().max() > 1e-3


def test_the_base_learners_weight_decay_is_torchs_coupled_one(draw: Draw) -> None:
    plain = draw(tasks=2, horizon=HORIZON)
    decayed = draw(tasks=2, horizon=HORIZON, weight_decay=0.1)
    learner = part("learner", "momentum")(lr=0.05)
    theirs = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.1}
    path = torch_path(torch.optim.SGD, theirs, "constant", plain)
    assert (our_path(learner, decayed) - path).abs().max() < 1e-10
