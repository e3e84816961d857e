"""Interfaces of learners, update rules, gradient estimators and outer rules."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from engine.contract.parts import Part
from engine.contract.rng import Rng
from engine.contract.run_spec import Budget
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


class TraceSegment(NamedTuple):
    """Traces of some consecutive steps of a run.

    Args:
        traces: By metric; shape (member, step, …).
        path: Flat weights, if requested; shape (member, step, weight).
        steps: The recorded steps; empty where they are consecutive from 0.
        answer_index: The position on the step axis of the learner's answer.
    """

    traces: Weights
    path: Tensor | None = None
    steps: tuple[int, ...] = ()
    answer_index: int = -1


class Inspection(NamedTuple):
    """Internal values of a meta-learner, for plots; shape (replicate, *axes)."""

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
        compiles: Whether what `outer` differentiates goes through
            `OuterStepContext.compile_gradient` and depends on the knobs, the
            meta-weights and the episodes alone, not on the progress of training.
        knowledge: Whether its meta-weights hold records of past searches, which
            the user can browse.
    """

    slot: ClassVar[str] = "learner"
    traits: ClassVar[tuple[str, ...]] = (
        "trains",
        "tunable",
        "estimators",
        "answers",
        "compiles",
        "knowledge",
    )
    answers: ClassVar[tuple[str, ...]] = ("classes", "value")
    trains: ClassVar[bool] = False
    tunable: ClassVar[bool] = False
    estimators: ClassVar[tuple[str, ...]] = ()
    needs_estimator: ClassVar[bool] = False
    keeps_last: ClassVar[bool] = False
    compiles: ClassVar[bool] = False
    knowledge: ClassVar[bool] = False

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
        estimator: "Estimator",
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

    def gradients_per_test(self, horizon: int) -> float:
        """Estimate the number of gradients of one test, for the progress bar."""
        return float(horizon)

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, "Inspection"]:
        """Return internal values to record at each validation, by metric."""
        return {}

    @abstractmethod
    def plan(self, budget: Budget, estimator: "Estimator") -> Plan:
        """Return how the budget is spent: meta-steps, tasks and cost."""


class UnrollableProblem(Protocol):
    """An inner problem that an estimator can unroll a segment at a time.

    `exploration_weights` names the meta-weights that only a policy's noise depends
    on, not its mean action; estimators other than policy gradients skip them.
    """

    replicates: int
    tasks: int
    horizon: int
    exploration_weights: tuple[str, ...]

    def begin(self, particles: int) -> Weights:
        """Return the state at the start of a run, member first."""

    def segment(
        self, theta: Weights, state: Weights, span: "UnrollWindow"
    ) -> tuple[Weights, Tensor, Weights]:
        """Advance the run by some steps.

        Args:
            theta: Meta-weights; shape (group, …), a group being a replicate ×
                particle or a single member; a group's members are consecutive.
            state: From `begin` or the previous segment.
            span: The steps, and how they are differentiated.

        Returns:
            The new state, the objective at each step, shape (member, step), and
            what a policy recorded, shape (member, step, …).
        """


@runtime_checkable
class PolicyProblem(UnrollableProblem, Protocol):
    """An inner problem whose steps are a policy's actions.

    With noise streams in its window, `segment` records, for each step, `seen`
    (member, step, signal, layer), the sampled `action` (member, step, layer) and the
    objective `before` it (member, step). `inputs` is the number of signals.
    """

    inputs: int

    def policy(self, theta: Weights, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean actions and the log standard deviation of their noise.

        Args:
            theta: Meta-weights; shape (group, …).
            seen: Signals; shape (group, signal, item).

        Returns:
            Shapes (group, item) and (group, 1).
        """


class UnrollWindow(NamedTuple):
    """Steps `start` to `start + length` of a run.

    Args:
        start: First step.
        length: Number of steps.
        particles: Copies of each task, each with its own perturbed meta-weights.
        order: 0 no gradient; 1 through the updates only; 2 exact, through the inner
            gradients too.
        rngs: One stream per replicate for a policy's noise; empty for mean actions.
    """

    start: int
    length: int
    particles: int = 1
    order: int = 0
    rngs: tuple[Rng, ...] = ()


class Estimator(Part):
    """How the outer gradient is estimated."""

    slot: ClassVar[str] = "estimator"
    traits: ClassVar[tuple[str, ...]] = ("needs_policy",)
    needs_policy: ClassVar[bool] = False

    @abstractmethod
    def window_length(self, horizon: int) -> int:
        """Return the number of inner steps that one outer step unrolls."""

    @abstractmethod
    def cost(self, horizon: int) -> float:
        """Return the task evaluations that one task costs per outer step."""

    @property
    def task_multiplier(self) -> int:
        """Return the factor on the number of tasks per step that the budget names."""
        return 1

    @abstractmethod
    def memory(self, weights: Weights, problem: UnrollableProblem) -> Weights:
        """Return the initial value of what is carried between outer steps."""

    @abstractmethod
    def estimate(
        self, meta: Meta, problem: UnrollableProblem, step_context: OuterStepContext
    ) -> Outer:
        """Estimate the outer gradient on these tasks."""


class OuterRule(Part):
    """How the meta-parameters follow the outer gradient, per replicate."""

    slot: ClassVar[str] = "outer"

    @abstractmethod
    def start(self, weights: Weights) -> Weights:
        """Return the rule's state; every tensor leads with the replicate."""

    @abstractmethod
    def step(
        self, weights: Weights, grads: Weights, state: Weights, done: float = 0.0
    ) -> tuple[Weights, Weights]:
        """Return new weights and state.

        Args:
            weights: Meta-weights; shape (replicate, …).
            grads: Outer gradients; the same shapes.
            state: From `start` or the previous step.
            done: Share of meta-training that is over, from 0 to 1.
        """
