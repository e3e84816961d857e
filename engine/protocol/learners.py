"""What a learner does: rules that move weights, estimators that move the rule."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple, Protocol, runtime_checkable

from torch import Tensor

from engine.contract.parts import Part
from engine.contract.rng import Rng
from engine.contract.runs import Budget
from engine.protocol.meta_types import Meta, Outer, OuterStepContext, Plan, Weights
from engine.protocol.tasks import TaskBatch


class OptimizerInput(NamedTuple):
    """What an optimizer may see at one step; tensors lead with the member axis."""

    step: int
    horizon: int
    loss: Tensor
    grad: Tensor
    norm: Tensor
    weights: Tensor


class OptimizerUpdate(NamedTuple):
    """What an optimizer does: `update` is added to the weights.

    `info` may hold `lr_scale`, shape (member,) or (member, layer), and whatever
    an estimator asked the rule to write down.
    """

    update: Tensor
    state: Weights
    info: Weights


class UpdateRule(ABC):
    """An update rule, hand-made or learned: pure functions over its state."""

    @abstractmethod
    def start(self, weights: Tensor) -> Weights:
        """Return the state before the first step; member first."""

    @abstractmethod
    def step(self, inputs: OptimizerInput, state: Weights) -> OptimizerUpdate:
        """Say how the weights move."""


class TraceSegment(NamedTuple):
    """Some consecutive steps of a run: traces of shape (member, step, …).

    `path` holds the weights, shape (member, step, weight), where asked; `at` the
    steps that the traces are of, where they are not every one from 0 on, and
    `chosen` which of these positions is the learner's answer.
    """

    traces: Weights
    path: Tensor | None = None
    steps: tuple[int, ...] = ()
    answer_index: int = -1


class Inspection(NamedTuple):
    """Numbers seen inside a meta-learner; shape (replicate, *axes)."""

    axes: tuple[str, ...]
    values: Tensor


class Learner(Part):
    """An algorithm in three verbs.

    `trains` says whether it has meta-parameters; `tunable` whether its rate can
    be tuned; `estimators` which estimators can train it, the usual one first;
    `keeps_last` that its last meta-weights are frozen, whatever validation says;
    `answers` which answers of a few-shot family it can give; `compiles` that what
    its lessons differentiate goes through `Lesson.quicken` and depends on its knobs,
    the meta-weights and the episodes alone, not on how far training is; `knowledge`
    that its meta-weights hold experiences of searches, which people can browse.
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
        """Say that a learner with an `outer` of its own must say whether it trains."""
        if "outer" in vars(cls) and "trains" not in vars(cls):
            return (
                "outer is written and trains is not said; write "
                "`trains: ClassVar[bool] = True`, or False if outer moves nothing"
            )
        if cls.needs_estimator and not cls.estimators:
            return (
                "estimators is empty; name those that can train it, the usual one "
                'first, as in `estimators: ClassVar[tuple[str, ...]] = ("pes",)`'
            )
        return ""

    @property
    def scale_limits(self) -> tuple[float, float] | None:
        """Return between which factors it can scale its rate; none if it does not."""
        return None

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why it cannot take these tasks; None if it can."""
        return None

    @abstractmethod
    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return the untrained meta-learner; one stream per replicate."""

    @abstractmethod
    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Train the base learners; yield the traces a stretch at a time."""

    @abstractmethod
    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: "Estimator",
    ) -> Outer:
        """Say how the meta-parameters should move after seeing these tasks."""

    def gradients_per_test(self, horizon: int) -> float:
        """Return about how many gradients one test takes, for the progress bar."""
        return float(horizon)

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, "Inspection"]:
        """Return what can be seen inside at a validation, by metric."""
        return {}

    @abstractmethod
    def plan(self, budget: Budget, estimator: "Estimator") -> Plan:
        """Say how the budget is spent."""


class UnrollableProblem(Protocol):
    """An inner problem that an estimator can unroll a segment at a time.

    `exploring` names the meta-weights that a mean action does not depend on: only
    a policy's noise does, so that other estimators leave them alone.
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
        """Go on for some steps.

        Args:
            theta: Meta-weights; shape (group, …): replicate × particle, or one
                for each member; a group's members are consecutive.
            state: As `begin` or the last segment left it.
            span: Which steps, and how they are differentiated.

        Returns:
            The new state, the objective at each step, shape (member, step), and
            what a policy wrote down, shape (member, step, …).
        """


@runtime_checkable
class PolicyProblem(UnrollableProblem, Protocol):
    """An inner problem whose steps are a policy's actions.

    With noise streams in its span, `segment` writes down, for each step, `seen`
    (member, step, signal, layer), the drawn `action` (member, step, layer) and the
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
        length: How many.
        particles: Copies of each task, with meta-weights of their own.
        order: 0 no gradient; 1 through the updates only; 2 the exact one, through
            the inner gradients too.
        rngs: One stream per replicate for a policy's noise; none: mean actions.
    """

    start: int
    length: int
    particles: int = 1
    order: int = 0
    rngs: tuple[Rng, ...] = ()


class Estimator(Part):
    """How an outer gradient is got."""

    slot: ClassVar[str] = "estimator"
    traits: ClassVar[tuple[str, ...]] = ("needs_policy",)
    needs_policy: ClassVar[bool] = False

    @abstractmethod
    def window_length(self, horizon: int) -> int:
        """Return how many inner steps one outer step sees."""

    @abstractmethod
    def cost(self, horizon: int) -> float:
        """Return task evaluations per drawn task and outer step."""

    @property
    def task_multiplier(self) -> int:
        """Return how many tasks are drawn for each that the budget names."""
        return 1

    @abstractmethod
    def memory(self, weights: Weights, problem: UnrollableProblem) -> Weights:
        """Return what is carried between outer steps, at its start."""

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
        """Return new weights and state; `done` is the share of training behind."""
