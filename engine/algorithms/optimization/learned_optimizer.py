"""Learned optimizers, and the inner problem that gradient estimators unroll."""

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
from engine.algorithms.optimization.update_checks import check_update
from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.kernels.trainings import Span
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
from engine.protocol.member_chunks import broadcast_to_members

# Prefix of what a rule reports to the estimator (signals, actions), not to the screen.
WRITTEN = "written."


class LearnedOptimizer(Learner):
    """An update rule with meta-weights, trained by an estimator.

    `exploration_weights` names the meta-weights that only exploration noise depends on.
    """

    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True
    exploration_weights: ClassVar[tuple[str, ...]] = ()
    needs_estimator: ClassVar[bool] = True
    estimators: ClassVar[tuple[str, ...]] = ("pes", "es", "unroll")

    @abstractmethod
    def rule(
        self, theta: Weights, tasks: OptimizationBatch, noise: tuple[Rng, ...] = ()
    ) -> UpdateRule:
        """Return the update rule for given meta-weights.

        Args:
            theta: Meta-weights of each member; shape (member, …).
            tasks: The tasks that it will train, for their layout and horizon.
            noise: Streams of exploration noise, one per replicate; empty for the mean
                action.
        """

    @property
    def inputs(self) -> int:
        """Return the number of signals that the policy sees."""
        return 0

    def policy(self, theta: Weights, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean actions and their log standard deviation; see `PolicyProblem`.

        Args:
            theta: Meta-weights; shape (replicate, …).
            seen: Signals; shape (replicate, signal, item).

        Raises:
            Refused: If this learner has no stochastic policy; choose another estimator.
        """
        raise Refused(
            f"{self.name} has no policy; choose another estimator", "estimator"
        )

    def adapt(
        self, meta: Meta, tasks: OptimizationBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Train the base learners with the learned rule, without exploration noise."""
        theta = broadcast_to_members(meta.weights, tasks.members)
        rule = self.rule(theta, tasks)
        return run_training(tasks, rule, path=path, learner=self.name)

    def outer(
        self,
        meta: Meta,
        tasks: OptimizationBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the estimator's outer gradient."""
        problem = RuleProblem(self, tasks)
        if not meta.memory:
            meta = meta._replace(memory=estimator.memory(meta.weights, problem))
        return estimator.estimate(meta, problem, step_context)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Divide the budget of task evaluations by the cost of one outer step."""
        cost = estimator.cost(budget.horizon)
        tasks = budget.tasks_per_step * estimator.task_multiplier
        steps = int(budget.task_evaluations / (tasks * cost))
        # Rounded up: a last, shorter segment completes the horizon.
        segments = max(1, -(-budget.horizon // estimator.window_length(budget.horizon)))
        return Plan(steps, tasks, segments, cost, cost * budget.horizon)


@dataclass
class RuleProblem:
    """A learned rule on a batch of tasks, as the `PolicyProblem` of an estimator."""

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
        """Return mean actions and their log standard deviation."""
        return self.learner.policy(theta, seen)

    @cached_property
    def _copies(self) -> dict[int, OptimizationBatch]:
        return {1: self.batch}

    def _repeat_tasks(self, particles: int) -> OptimizationBatch:
        if particles not in self._copies:
            self._copies[particles] = self.batch.repeat(particles)
        return self._copies[particles]

    def begin(self, particles: int) -> Weights:
        """Return initial weights and the rule's initial state; (member, …) each."""
        batch = self._repeat_tasks(particles)
        # Any weights will do: a rule's initial state depends on their shapes alone.
        rngs = [Rng(0).child(r) for r in range(batch.replicates)]
        theta = broadcast_to_members(
            self.learner.init(rngs, batch).weights, batch.members
        )
        start = batch.start()
        return _pack_state(start, self.learner.rule(theta, batch).start(start))

    def segment(
        self, theta: Weights, state: Weights, span: UnrollWindow
    ) -> tuple[Weights, Tensor, Weights]:
        """Take the steps of one unroll window.

        Args:
            theta: Meta-weights; shape (replicate × particle, …).
            state: State at the start of the window, as `begin` returns it.
            span: First step, length, particles, order of the gradient and noise.

        Returns:
            The state after the window, objectives after each step, shape (member,
            step), and what the rule reported at each step, shape (member, step, …).
        """
        batch = self._repeat_tasks(span.particles)
        rule = self.learner.rule(
            broadcast_to_members(theta, batch.members), batch, span.rngs
        )
        weights, inner = _unpack_state(state)
        # The loss after the last update is wanted, too.
        steps = Span(span.start, span.length + 1, span.length, True, False)
        if not span.order and (done := batch.train(rule, weights, inner, steps)):
            found = objective(done.traces["loss"])
            after = _pack_state(done.weights, done.state)
            return after, found[:, 1:], {"before": found[:, :-1]}
        scores: list[Tensor] = []
        written: list[Weights] = []
        with torch.set_grad_enabled(span.order > 0):
            for step in range(span.start, span.start + span.length):
                seen = optimizer_input(batch, weights, step, span.order)
                # First order: the gradient is an input, treated as a constant.
                if span.order == 1:
                    seen = seen._replace(grad=seen.grad.detach())
                update, inner, info = rule.step(seen, inner)
                check_update(self.learner.name, update, weights)
                # A diverged member stays put, so that it cannot make gradients NaN.
                weights = weights + torch.nan_to_num(update, 0.0, 0.0, 0.0)
                scores.append(objective(seen.loss))
                written.append(_recorded_signals(info))
            last = optimizer_input(batch, weights, span.start + span.length, span.order)
            scores.append(objective(last.loss))
        stacked = {k: torch.stack([w[k] for w in written], 1) for k in written[0]}
        # An action is scored by the loss after it, so the first loss is left out.
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
