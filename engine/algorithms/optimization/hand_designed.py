"""Hand-designed optimizers as learners with one meta-parameter, the learning rate."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor

from engine.algorithms.optimization.training_loop import run_training
from engine.algorithms.optimization.update_checks import (
    check_direction,
    check_in_place,
    check_update,
)
from engine.algorithms.optimization.update_rules import (
    Direction,
    Schedule,
    schedule_factor,
)
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.kernels.trainings import CompiledRule
from engine.protocol import (
    Estimator,
    Learner,
    Meta,
    OptimizationBatch,
    OptimizerInput,
    OptimizerUpdate,
    Outer,
    OuterStepContext,
    Plan,
    TraceSegment,
    UpdateRule,
    Weights,
)
from engine.protocol.member_chunks import broadcast_to_members


def rate_knob(default: float) -> Any:
    """Declare the learning rate.

    Args:
        default: The optimizer's own default, used unless the rate is tuned.
    """
    return knob(
        default,
        label="Learning rate",
        unit="per step",
        low=1e-8,
        high=1e4,
        log=True,
        help="Learning rate, unless it is tuned.",
        follows="rate",
    )


class HandDesignedOptimizer(Learner):
    """An optimizer whose learning rate is given or tuned.

    `engine.runner.baseline_tuning` tunes it by a search over rates on pooled
    meta-training tasks. The rate is the meta-weight `lr`, shape (replicate,).
    """

    tunable: ClassVar[bool] = True

    lr: float = rate_knob(0.3)
    tuning: Literal["given", "tuned", "equal_budget"] = knob(
        "given",
        label="Tuning",
        help="Given: the rate above. Tuned: the best of a two-stage grid on "
        "meta-training tasks. Equal budget: tuned on as many tasks as the learned "
        "optimizer was trained on.",
    )
    schedule: Schedule = knob(
        "constant",
        label="Schedule",
        help="How the rate changes over the horizon; step multiplies it by 0.1 at 1/2 "
        "and at 3/4.",
    )

    @abstractmethod
    def rule(self, rate: Tensor) -> UpdateRule:
        """Return the update rule.

        Args:
            rate: Learning rate of each member; shape (member, 1).
        """

    def init(self, rngs: Sequence[Rng], tasks: OptimizationBatch) -> Meta:
        """Return the given rate, one per replicate."""
        start = tasks.start()
        return Meta({"lr": start.new_full((len(rngs),), self.lr)}, {})

    def adapt(
        self, meta: Meta, tasks: OptimizationBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Train with the rate of each member's replicate."""
        rate = broadcast_to_members(meta.weights, tasks.members)["lr"][:, None]
        return run_training(tasks, self.rule(rate), path=path, learner=self.name)

    def outer(
        self,
        meta: Meta,
        tasks: OptimizationBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the rate unchanged: it is chosen by tuning, not by a gradient."""
        return Outer(memory={}, info={}, weights=meta.weights)

    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Return a plan without meta-training."""
        return Plan(0, 1, 1, 1.0, float(budget.horizon))


class KernelRule(NamedTuple):
    """The compiled form of an optimizer's direction.

    Args:
        name: Of its function in `engine.kernels.update_rules`.
        constants: Its constants after the rate.
        state: Names of its state's tensors, in the function's order.
    """

    name: str
    constants: tuple[float, ...] = ()
    state: tuple[str, ...] = ()


class DirectionOptimizer(HandDesignedOptimizer):
    """An optimizer whose step is −rate × schedule × a direction of its own."""

    @abstractmethod
    def start(self, weights: Tensor) -> Weights:
        """Return the state before the first step.

        Args:
            weights: Initial weights; shape (member, weight).
        """

    def kernel_rule(self) -> KernelRule | None:
        """Return the rule's compiled form; None if there is none."""
        return None

    @abstractmethod
    def direction(self, inputs: OptimizerInput, state: Weights) -> Direction:
        """Return the step at rate 1, to be subtracted, and the new state.

        Args:
            inputs: Loss, gradient and weights at this step.
            state: The state after the last step.
        """

    def rule(self, rate: Tensor) -> UpdateRule:
        """Return the optimizer with its schedule."""
        return ScheduledRule(self, rate)


@dataclass(frozen=True)
class ScheduledRule(UpdateRule):
    """A `DirectionOptimizer` with its schedule, at rates of shape (member, 1)."""

    optimizer: DirectionOptimizer
    rate: Tensor

    def start(self, weights: Tensor) -> Weights:
        """Return the optimizer's own state."""
        return self.optimizer.start(weights)

    def step(self, inputs: OptimizerInput, state: Weights) -> OptimizerUpdate:
        """Move by −rate × factor × direction."""
        name, seen = self.optimizer.name, inputs.weights
        version = seen._version
        found = self.optimizer.direction(inputs, state)
        check_direction(name, found)
        step, state = found
        check_update(name, step, seen)
        check_in_place(name, seen, version)
        factor = schedule_factor(self.optimizer.schedule, inputs.step, inputs.horizon)
        scale = torch.full_like(self.rate[:, 0], factor)
        return OptimizerUpdate(-(self.rate * factor) * step, state, {"lr_scale": scale})

    def kernel_form(self, horizon: int) -> CompiledRule | None:
        """Return the kernels' form of the optimizer, with its schedule."""
        known, schedule = self.optimizer.kernel_rule(), self.optimizer.schedule
        if known is None:
            return None
        shared = self.rate.new_tensor(known.constants, dtype=torch.float64)
        constants = [self.rate.double(), shared.expand(len(self.rate), -1)]
        factors = tuple(schedule_factor(schedule, t, horizon) for t in range(horizon))
        return CompiledRule(known.name, torch.cat(constants, 1), known.state, factors)
