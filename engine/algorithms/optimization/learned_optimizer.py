"""Learned optimizers as an inner problem that any estimator can unroll."""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.optimization.training_loop import (
    objective,
    optimizer_input,
    run_training,
)
from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.contract.runs import Budget
from engine.protocol import (
    Estimator,
    Learner,
    Meta,
    OptimizationBatch,
    Outer,
    OuterStepContext,
    Plan,
    TraceSegment,
    UnrollWindow,
    UpdateRule,
    Weights,
)
from engine.protocol.chunks import broadcast_to_members

WRITTEN = "written."


class LearnedOptimizer(Learner):
    """An update rule with meta-weights; any estimator trains it.

    `exploring` names the meta-weights that only its noise depends on.
    """

    trains: ClassVar[bool] = True
    exploration_weights: ClassVar[tuple[str, ...]] = ()
    needs_estimator: ClassVar[bool] = True
    estimators: ClassVar[tuple[str, ...]] = ("pes", "es", "unroll")

    @abstractmethod
    def rule(
        self, theta: Weights, tasks: OptimizationBatch, noise: tuple[Rng, ...] = ()
    ) -> UpdateRule:
        """Return the rule of some meta-weights.

        Args:
            theta: Meta-weights, spread over the members.
            tasks: What it will be used on: its layout and horizon.
            noise: Streams, one per replicate, of a policy that explores.
        """

    @property
    def inputs(self) -> int:
        """Return how many signals a policy sees."""
        return 0

    def policy(self, theta: Weights, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean actions and their log spread; see `protocol.Explored`.

        Raises:
            Refused: If this learner takes no actions that noise could explore.
        """
        raise Refused(
            f"{self.name} has no policy; choose another estimator", "estimator"
        )

    def adapt(
        self, meta: Meta, tasks: OptimizationBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Train the base learners with the learned rule, its mean action."""
        theta = broadcast_to_members(meta.weights, tasks.members)
        return run_training(tasks, self.rule(theta, tasks), path=path)

    def outer(
        self,
        meta: Meta,
        tasks: OptimizationBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Let the estimator say how the meta-weights should move."""
        problem = RuleProblem(self, tasks)
        if not meta.memory:
            meta = meta._replace(memory=estimator.memory(meta.weights, problem))
        return estimator.estimate(meta, problem, step_context)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Divide the budget by what one outer step costs."""
        cost = estimator.cost(budget.horizon)
        tasks = budget.tasks_per_step * estimator.task_multiplier
        steps = int(budget.task_evaluations / (tasks * cost))
        segments = max(1, -(-budget.horizon // estimator.window_length(budget.horizon)))
        return Plan(steps, tasks, segments, cost, cost * budget.horizon)


@dataclass
class RuleProblem:
    """A learned rule on tasks: see `engine.protocol.Explored`."""

    learner: LearnedOptimizer
    batch: OptimizationBatch

    @property
    def replicates(self) -> int:
        return self.batch.replicates

    @property
    def tasks(self) -> int:
        return self.batch.members // self.batch.replicates

    @property
    def horizon(self) -> int:
        return self.batch.horizon

    @property
    def exploration_weights(self) -> tuple[str, ...]:
        return self.learner.exploration_weights

    @property
    def inputs(self) -> int:
        return self.learner.inputs

    def policy(self, theta: Weights, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean actions and their log spread."""
        return self.learner.policy(theta, seen)

    @cached_property
    def _copies(self) -> dict[int, OptimizationBatch]:
        return {1: self.batch}

    def _repeat_tasks(self, particles: int) -> OptimizationBatch:
        if particles not in self._copies:
            self._copies[particles] = self.batch.repeat(particles)
        return self._copies[particles]

    def begin(self, particles: int) -> Weights:
        """Return initial weights and the rule's state, member first."""
        batch = self._repeat_tasks(particles)
        theta = self._placeholder_weights(batch)
        start = batch.start()
        return _pack_state(start, self.learner.rule(theta, batch).start(start))

    def _placeholder_weights(self, batch: OptimizationBatch) -> Weights:
        rngs = [Rng(0).child(r) for r in range(batch.replicates)]
        return broadcast_to_members(
            self.learner.init(rngs, batch).weights, batch.members
        )

    def segment(
        self, theta: Weights, state: Weights, span: UnrollWindow
    ) -> tuple[Weights, Tensor, Weights]:
        """Take some steps with meta-weights (replicate × particle, …)."""
        batch = self._repeat_tasks(span.particles)
        rule = self.learner.rule(
            broadcast_to_members(theta, batch.members), batch, span.rngs
        )
        weights, inner = _unpack_state(state)
        scores: list[Tensor] = []
        written: list[Weights] = []
        with torch.set_grad_enabled(span.order > 0):
            for step in range(span.start, span.start + span.length):
                seen = optimizer_input(batch, weights, step, span.order)
                if span.order == 1:
                    seen = seen._replace(grad=seen.grad.detach())
                update, inner, info = rule.step(seen, inner)
                weights = weights + torch.nan_to_num(update, 0.0, 0.0, 0.0)
                scores.append(objective(seen.loss))
                written.append(_recorded_signals(info))
            last = optimizer_input(batch, weights, span.start + span.length, span.order)
            scores.append(objective(last.loss))
        stacked = {k: torch.stack([w[k] for w in written], 1) for k in written[0]}
        # The score of an action is the loss after it, so the first one is left out.
        before_after = torch.stack(scores, 1)
        stacked["before"] = before_after[:, :-1]
        return _pack_state(weights, inner), before_after[:, 1:], stacked


def _pack_state(weights: Tensor, inner: Weights) -> Weights:
    return {"weights": weights} | {f"rule.{k}": v for k, v in inner.items()}


def _unpack_state(state: Weights) -> tuple[Tensor, Weights]:
    inner = {k[5:]: v for k, v in state.items() if k.startswith("rule.")}
    return state["weights"], inner


def _recorded_signals(info: Weights) -> Weights:
    return {k[len(WRITTEN) :]: v for k, v in info.items() if k.startswith(WRITTEN)}
