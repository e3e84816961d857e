"""Every hand-made update rule, as pure functions; one rate per member.

Source: the update rules of torch.optim, which the tests compare step for step.
"""

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from engine.contract.knobs import knob
from engine.contract.rng import Rng
from engine.contract.runs import Budget
from engine.inner.descend import follow, spread
from engine.protocol import (
    Estimator,
    Glance,
    Learner,
    Lesson,
    Meta,
    Move,
    Outer,
    Plan,
    Rule,
    Stretch,
    TaskBatch,
    Weights,
)

Schedule = Literal["constant", "step", "cosine", "warmup_cosine"]


def schedule_factor(schedule: Schedule, step: int, horizon: int) -> float:
    """Return the share of the rate that a schedule leaves at a step.

    >>> [schedule_factor("cosine", t, 4) for t in (0, 2)]
    [1.0, 0.5]
    """
    if schedule == "constant":
        return 1.0
    if schedule == "step":
        return 0.1 ** sum(step >= share * horizon for share in (0.5, 0.75))
    warmup = max(1, horizon // 10) if schedule == "warmup_cosine" else 0
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, horizon - warmup)
    return (1 + math.cos(math.pi * done)) / 2


class Direction(NamedTuple):
    """Which way and how far at rate 1; the rule subtracts rate × this."""

    step: Tensor
    state: Weights


class HandMade(Learner):
    """An optimizer with one meta-parameter, its rate, given or tuned.

    Its tuning is a choice among rates on pooled meta-training tasks, made in
    `engine.tuning`; the rate is kept as the meta-weight `lr`, shape (replicate,).
    """

    tunable: ClassVar[bool] = True

    lr: float = knob(
        0.3, label="Learning rate", unit="per step", low=1e-8, high=1e4, log=True,
        help="Size of each step, where it is not tuned.",
    )  # fmt: skip
    tuning: Literal["given", "tuned", "equal_budget"] = knob(
        "given", label="Rate is",
        help="Tuned: the best of a two-stage grid on meta-training tasks; equal "
        "budget: on as many as the learned optimizer was trained on.",
    )  # fmt: skip
    schedule: Schedule = knob(
        "constant", label="Schedule",
        help="How the rate changes over the horizon; step is × 0.1 at 1/2 and 3/4.",
    )  # fmt: skip

    @abstractmethod
    def start(self, weights: Tensor) -> Weights:
        """Return the state before the first step."""

    @abstractmethod
    def direction(self, glance: Glance, state: Weights) -> Direction:
        """Return the step at rate 1 and the new state."""

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return the given rate, one per replicate."""
        start = tasks.start()
        return Meta({"lr": start.new_full((len(rngs),), self.lr)}, {})

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[Stretch]:
        """Train with the rate of each member's replicate."""
        rate = spread(meta.weights, tasks.members)["lr"][:, None]
        return follow(tasks, Scheduled(self, rate), path=path)

    def outer(
        self, meta: Meta, tasks: TaskBatch, lesson: Lesson, estimator: Estimator
    ) -> Outer:
        """Stay: a rate is chosen by tuning, not moved by a gradient."""
        return Outer(memory={}, info={}, weights=meta.weights)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Spend nothing on meta-training."""
        return Plan(0, 1, 1, 1.0)


@dataclass(frozen=True)
class Scheduled(Rule):
    """A hand-made optimizer at given rates, shape (member, 1), on its schedule."""

    optimizer: HandMade
    rate: Tensor

    def start(self, weights: Tensor) -> Weights:
        """Return the optimizer's own state."""
        return self.optimizer.start(weights)

    def step(self, glance: Glance, state: Weights) -> Move:
        """Move by −rate × factor × direction."""
        step, state = self.optimizer.direction(glance, state)
        factor = schedule_factor(self.optimizer.schedule, glance.step, glance.horizon)
        scale = torch.full_like(self.rate[:, 0], factor)
        return Move(-(self.rate * factor) * step, state, {"lr_scale": scale})
