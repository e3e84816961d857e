"""Interfaces of learners and of update rules."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from torch import Tensor

from engine.contract.parts import Part
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
from engine.kernels.trainings import CompiledRule
from engine.protocol.estimators import Estimator
from engine.protocol.meta_types import Meta, Outer, OuterStepContext, Plan, Weights
from engine.protocol.tasks import TaskBatch


class OptimizerInput(NamedTuple):
    """What an optimizer may see at one step; tensors lead with the member axis.

    Args:
        step: Inner step, from 0.
        horizon: Number of inner steps.
        loss: Training loss; shape (member,).
        grad: Gradient, clipped where the net says so; shape (member, weight).
        norm: L2 norm of the gradient before clipping; shape (member,).
        weights: Flat weights; shape (member, weight).
    """

    step: int
    horizon: int
    loss: Tensor
    grad: Tensor
    norm: Tensor
    weights: Tensor


class OptimizerUpdate(NamedTuple):
    """One step of an optimizer.

    Args:
        update: Added to the weights; shape (member, weight).
        state: The new state, member first.
        info: May hold `lr_scale`, shape (member,) or (member, layer), and whatever
            an estimator asked the rule to record.
    """

    update: Tensor
    state: Weights
    info: Weights


class UpdateRule(ABC):
    """An update rule, hand-designed or learned: pure functions over its state."""

    @abstractmethod
    def start(self, weights: Tensor) -> Weights:
        """Return the state before the first step; member first."""

    @abstractmethod
    def step(self, inputs: OptimizerInput, state: Weights) -> OptimizerUpdate:
        """Return the update of the weights and the rule's new state."""

    def kernel_form(self, horizon: int) -> CompiledRule | None:
        """Return what the kernels need to take its steps; None if they cannot.

        Args:
            horizon: Number of steps.
        """
        return None


class TraceSegment(NamedTuple):
    """Traces of some consecutive steps of a run.

    Args:
        traces: By metric; shape (member, step, …).
        path: Flat weights, if requested; shape (member, step, weight).
        steps: The recorded steps; empty where they are consecutive from 0.
        answer_indices: Each member's position on the step axis of the learner's
            answer; empty where learners have no step of their own to answer at.
        answers: What the answer says of each query, by name; shape (member, query).
            None where tasks have no queries.
    """

    traces: Weights
    path: Tensor | None = None
    steps: tuple[int, ...] = ()
    answer_indices: tuple[int, ...] = ()
    answers: Weights | None = None


class Inspection(NamedTuple):
    """Internal values of a meta-learner, for plots; shape (replicate, *axes).

    Maps are drawn as pictures: `attention`, with axes ("query", "example"), and
    `memory_usage`, with axes ("time", "slot"), both on the first validation episode of
    each replicate; `algorithms/few_shot/inspected_episodes.py` makes them.
    """

    axes: tuple[str, ...]
    values: Tensor


class Learner(Part):
    """A learning algorithm in three methods: `init`, `adapt` and `outer`.

    Attributes:
        trains: Whether it has meta-parameters.
        tunable: Whether its learning rate can be tuned.
        estimators: Gradient estimators that can train it, the default first.
        needs_estimator: Whether `outer` needs one of them.
        keeps_last: Whether the last meta-weights are frozen instead of those with
            the best validation score.
        answers: The kinds of answer that it can give: "classes", "value".
        compiles: Whether what `outer` differentiates depends on the knobs, the
            meta-weights and the tasks alone, not on the progress of training; with
            episodes, it goes through `OuterStepContext.compile_gradient`.
        draws_in_outer: Whether `outer` draws random numbers, so that only what it
            differentiates is compiled, not the whole meta-step.
        uses_net: Whether it builds what it learns from the run's net.
        is_bound: Whether it knows what no learner can know: a limit, no rival.
        knowledge: Whether its meta-weights hold records of past searches, which
            the user can browse.
        net_role: What the run's net with the meta-weights is by itself: "start", from
            which it adapts by gradient steps, "embedding", whose features it compares,
            or empty where the net alone is not what it has learned.
    """

    slot: ClassVar[str] = "learner"
    traits: ClassVar[tuple[str, ...]] = (
        "trains",
        "tunable",
        "estimators",
        "answers",
        "compiles",
        "uses_net",
        "knowledge",
    )
    answers: ClassVar[tuple[str, ...]] = ("classes", "value")
    trains: ClassVar[bool] = False
    tunable: ClassVar[bool] = False
    estimators: ClassVar[tuple[str, ...]] = ()
    needs_estimator: ClassVar[bool] = False
    keeps_last: ClassVar[bool] = False
    compiles: ClassVar[bool] = False
    draws_in_outer: ClassVar[bool] = False
    uses_net: ClassVar[bool] = True
    is_bound: ClassVar[bool] = False
    knowledge: ClassVar[bool] = False
    net_role: ClassVar[str] = ""

    @classmethod
    def why_incomplete(cls) -> str:
        """Return which declaration the class lacks; empty if none."""
        if "outer" in vars(cls) and "trains" not in vars(cls):
            return (
                "it defines outer but not trains; write "
                "`trains: ClassVar[bool] = True`, or False if outer moves nothing"
            )
        if cls.needs_estimator and not cls.estimators:
            return (
                "estimators is empty; name those that can train it, the default "
                'first, as in `estimators: ClassVar[tuple[str, ...]] = ("pes",)`'
            )
        return ""

    @property
    def scale_limits(self) -> tuple[float, float] | None:
        """Return the range of its learning-rate factor; None if it has none."""
        return None

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why it cannot adapt to these tasks; None if it can."""
        return None

    @abstractmethod
    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return the untrained meta-learner.

        Args:
            rngs: One stream per replicate.
            tasks: A batch of the run's tasks, for shapes only.

        Returns:
            Weights and memory; every tensor has shape (replicate, …).
        """

    @abstractmethod
    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Adapt to the tasks: the inner loop, U_T(θ).

        Args:
            meta: The meta-learner; shape (replicate, …), or (1, …) if shared.
            tasks: The tasks to adapt to.
            path: Whether to record the weights at every step.

        Yields:
            The traces, segment by segment.
        """

    @abstractmethod
    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the outer gradient, or new meta-weights, from these tasks.

        Args:
            meta: The meta-learner; shape (replicate, …).
            tasks: The tasks of this meta-step.
            step_context: The position of the step within meta-training.
            estimator: The gradient estimator of the run.

        Returns:
            Gradients or new weights, the new memory and training metrics.
        """

    def training_tasks(self, tasks: TaskBatch, rng: Rng) -> TaskBatch:
        """Return the tasks of a meta-step in the form in which this learner sees them.

        Args:
            tasks: The tasks as they were drawn.
            rng: The step's stream, the same for all learners.
        """
        return tasks

    def gradients_per_test(self, horizon: int) -> float:
        """Estimate the number of gradients of one test, for the progress bar."""
        return float(horizon)

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, "Inspection"]:
        """Return internal values to record at each validation, by metric."""
        return {}

    @abstractmethod
    def plan(self, budget: Budget, estimator: Estimator) -> Plan:
        """Return how the budget is spent: meta-steps, tasks and cost."""
