"""The verbs: what a family, a net, a shift, a learner and an estimator must do.

Every tensor of a task leads with the member axis, replicate × (particle ×) task;
every tensor of a meta-learner leads with the replicate axis.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar, NamedTuple, Protocol, Self, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from engine.contract.knobs import Part
from engine.contract.rng import Rng
from engine.contract.runs import Budget

Weights = dict[str, Tensor]


class AllDiverged(RuntimeError):
    """No member of the chosen learner stayed finite; its rows are kept."""


def generator(rng: Rng) -> np.random.Generator:
    """Return the counter-based generator of one stream."""
    return np.random.Generator(np.random.Philox(key=rng.key()))


# --- what is learned -------------------------------------------------------


class Meta(NamedTuple):
    """A meta-learner: its weights, and what its estimator must remember.

    Every tensor has shape (replicate, …).
    """

    weights: Weights
    memory: Weights


class Outer(NamedTuple):
    """How the meta-learner should move.

    Either `grads` (for the outer rule to apply) or new `weights`; `info` holds
    one number per replicate for each metric of the training curve.
    """

    memory: Weights
    info: Weights
    grads: Weights | None = None
    weights: Weights | None = None


class Lesson(NamedTuple):
    """The place of one outer step within meta-training.

    Several `segments` in a row see the same tasks: a truncated unroll goes on
    where the last one stopped.
    """

    step: int
    segment: int
    segments: int
    rngs: tuple[Rng, ...]


class Plan(NamedTuple):
    """How a learner spends its meta-training budget.

    `cost` is in task evaluations per drawn task and outer step.
    """

    steps: int
    tasks_per_step: int
    segments: int
    cost: float


# --- what is a task --------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """How the named tensors of a net lie in one flat vector of weights."""

    names: tuple[str, ...]
    shapes: tuple[tuple[int, ...], ...]
    layers: tuple[tuple[str, ...], ...]

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        return tuple(math.prod(shape) for shape in self.shapes)

    @property
    def total(self) -> int:
        return sum(self.sizes)

    def views(self, flat: Tensor) -> Weights:
        """Name the parts of flat weights; (member, total) → (member, *shape) each."""
        parts = flat.split(self.sizes, dim=1)
        return {
            name: part.view(-1, *shape)
            for name, part, shape in zip(self.names, parts, self.shapes, strict=True)
        }

    def layer_sizes(self) -> tuple[int, ...]:
        """Return how many consecutive weights each layer owns."""
        size = dict(zip(self.names, self.sizes, strict=True))
        return tuple(sum(size[name] for name in layer) for layer in self.layers)


class Gradient(NamedTuple):
    """Loss, shape (member,), and its gradient, shape (member, weight).

    `norm` is the gradient's L2 norm before any clipping, shape (member,).
    """

    loss: Tensor
    grad: Tensor
    norm: Tensor


class TaskBatch(ABC):
    """Tasks side by side; it keeps nothing between two adaptations."""

    replicates: int
    horizon: int
    layout: Layout
    drift_start: int | None = None
    chunk: int = 64

    @property
    @abstractmethod
    def members(self) -> int:
        """How many tasks run side by side."""

    @abstractmethod
    def start(self) -> Tensor:
        """Return the initial weights; shape (member, weight)."""

    @abstractmethod
    def gradient(self, weights: Tensor, step: int, *, order: int = 0) -> Gradient:
        """Return loss and gradient at a step.

        Args:
            weights: Flat weights; shape (member, weight).
            step: Step of the run: it picks the minibatch and the drift.
            order: 0 detaches both; 1 keeps the loss differentiable; 2 keeps the
                gradient differentiable too.
        """

    @abstractmethod
    def measure(self, weights: Tensor, step: int) -> Weights:
        """Return the metrics of the held-out rows; shape (member,) each.

        May also hold `loss`, where the training loss of `gradient` is only that
        of a minibatch.
        """

    @abstractmethod
    def take(self, index: Sequence[int]) -> Self:
        """Return the chosen members as one replicate."""

    @abstractmethod
    def repeat(self, particles: int) -> Self:
        """Put copies between replicate and task: replicate × particle × task."""


@dataclass
class Sample:
    """One supervised task as numpy arrays.

    Args:
        x: Inputs to train on, float32; shape (feature, example).
        y: Targets; int64 classes or float32 values; shape (example,).
        held_x: Held-out inputs; shape (feature, example).
        held_y: Held-out targets; shape (example,).
        outputs: Number of classes, or 1 for regression.
        later: What the task turns into, if it drifts.
        drift: Start and length of the drift, as shares of the horizon.
    """

    x: np.ndarray
    y: np.ndarray
    held_x: np.ndarray
    held_y: np.ndarray
    outputs: int
    later: "Sample | None" = None
    drift: tuple[float, float] = (0.5, 0.0)


Warp = Callable[[Sample, Rng], Sample]


Judge = Callable[[Tensor], tuple[Tensor, Tensor]]


class Net(Part):
    """A base learner: how its weights lie, start and answer, how it is trained.

    `explicit` says that `backpropagate` gives the gradient without autograd.
    """

    traits: ClassVar[tuple[str, ...]] = ()
    batch_size: int
    weight_decay: float
    clip: float

    @abstractmethod
    def layout(self, inputs: int, outputs: int) -> Layout:
        """Return how the weights lie for this many inputs and outputs."""

    @abstractmethod
    def init(self, layout: Layout, rng: Rng) -> np.ndarray:
        """Draw initial weights; float32, shape (weight,)."""

    @abstractmethod
    def apply(
        self, weights: Weights, x: Tensor, reference: int | None = None
    ) -> Tensor:
        """Answer; (member, feature, example) → (member, output, example).

        Args:
            weights: Named weights, member first.
            x: Inputs.
            reference: With batch normalization, how many leading examples the
                statistics are taken from; all of them by default.
        """


@dataclass(frozen=True)
class Setting:
    """What a shift may change: the family, the base learner, horizon and data."""

    family: "Family"
    net: Net
    horizon: int
    warps: tuple[Warp, ...] = field(default=(), compare=False)

    def warped(self, warp: Warp) -> "Setting":
        """Return the setting with one more change of each task's data."""
        return replace(self, warps=(*self.warps, warp))


class Family(Part):
    """A distribution of tasks.

    `output` is what a base learner answers; `plane` says that tasks live in the
    plane, so that a film can be shown; `pooled` that rows are real and divided
    into meta-train, validation and test pools; `needs_file` that a person must give
    the rows.
    """

    traits: ClassVar[tuple[str, ...]] = (
        "kind",
        "output",
        "uses_net",
        "plane",
        "pooled",
        "needs_file",
    )
    kind: ClassVar[str] = "landscapes"
    output: ClassVar[str] = "classes"
    uses_net: ClassVar[bool] = True
    plane: ClassVar[bool] = False
    pooled: ClassVar[bool] = False
    needs_file: ClassVar[bool] = False

    @classmethod
    def missing(cls) -> str:
        """Name the file that this family needs and that is absent, or nothing."""
        return ""

    def check(self) -> None:  # noqa: B027
        """Refuse knobs that do not fit together, or not the data.

        Raises:
            Refused: With the knob's name as its field.
        """

    def answers(self) -> str:
        """Return `output`, or what the knobs make of it: classes, value or none."""
        return self.output

    @abstractmethod
    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, place: "Place"
    ) -> TaskBatch:
        """Draw one task per stream.

        Args:
            setting: The base learner, horizon and changes of data to use.
            rngs: One stream per replicate × task, in that order.
            pool: "train", "validation" or "test".
            place: How many replicates, and on which device.
        """


class Place(NamedTuple):
    """Where tasks are put and how many replicates they are of.

    Without `held` their held-out rows are left unmeasured, which is faster.
    """

    replicates: int = 1
    device: torch.device = torch.device("cpu")
    dtype: torch.dtype = torch.float32
    held: bool = True


class Shift(Part):
    """A change of the setting, with a severity; 0 is the identity."""

    traits: ClassVar[tuple[str, ...]] = ("unit", "severities", "top", "switch")
    unit: ClassVar[str] = ""
    severities: ClassVar[tuple[float, ...]] = ()
    top: ClassVar[float] = 10.0
    switch: ClassVar[bool] = False

    @abstractmethod
    def unfit(self, setting: Setting) -> str:
        """Say why this shift cannot be applied there, or nothing."""

    @abstractmethod
    def apply(self, setting: Setting, severity: float) -> Setting:
        """Return the shifted setting; `severity` is above 0."""


# --- optimizers ------------------------------------------------------------


class Glance(NamedTuple):
    """What an optimizer may see at one step; tensors lead with the member axis."""

    step: int
    horizon: int
    loss: Tensor
    grad: Tensor
    norm: Tensor
    weights: Tensor


class Move(NamedTuple):
    """What an optimizer does: `update` is added to the weights.

    `info` may hold `lr_scale`, shape (member,) or (member, layer), and whatever
    an estimator asked the rule to write down.
    """

    update: Tensor
    state: Weights
    info: Weights


class Rule(ABC):
    """An update rule, hand-made or learned: pure functions over its state."""

    @abstractmethod
    def start(self, weights: Tensor) -> Weights:
        """Return the state before the first step; member first."""

    @abstractmethod
    def step(self, glance: Glance, state: Weights) -> Move:
        """Say how the weights move."""


class Stretch(NamedTuple):
    """Some consecutive steps of a run: traces of shape (member, step, …).

    `path` holds the weights, shape (member, step, weight), where asked.
    """

    traces: Weights
    path: Tensor | None


class Learner(Part):
    """An algorithm in three verbs.

    `trains` says whether it has meta-parameters; `tunable` whether its rate can
    be tuned; `estimators` which estimators can train it.
    """

    traits: ClassVar[tuple[str, ...]] = ("trains", "tunable", "estimators")
    trains: ClassVar[bool] = False
    tunable: ClassVar[bool] = False
    estimators: ClassVar[tuple[str, ...]] = ()
    needs_estimator: ClassVar[bool] = False

    @property
    def scale_limits(self) -> tuple[float, float] | None:
        """Return between which factors it can scale its rate; none if it does not."""
        return None

    @abstractmethod
    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return the untrained meta-learner; one stream per replicate."""

    @abstractmethod
    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[Stretch]:
        """Train the base learners; yield the traces a stretch at a time."""

    @abstractmethod
    def outer(
        self, meta: Meta, tasks: TaskBatch, lesson: Lesson, estimator: "Estimator"
    ) -> Outer:
        """Say how the meta-parameters should move after seeing these tasks."""

    @abstractmethod
    def plan(self, budget: Budget, estimator: "Estimator") -> Plan:
        """Say how the budget is spent."""


class Unrolled(Protocol):
    """An inner problem that an estimator can unroll a segment at a time.

    `exploring` names the meta-weights that a mean action does not depend on: only
    a policy's noise does, so that other estimators leave them alone.
    """

    replicates: int
    tasks: int
    horizon: int
    exploring: tuple[str, ...]

    def begin(self, particles: int) -> Weights:
        """Return the state at the start of a run, member first."""

    def segment(
        self, theta: Weights, state: Weights, span: "Span"
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
class Explored(Unrolled, Protocol):
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


class Span(NamedTuple):
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

    traits: ClassVar[tuple[str, ...]] = ("needs_policy",)
    needs_policy: ClassVar[bool] = False

    @abstractmethod
    def span(self, horizon: int) -> int:
        """Return how many inner steps one outer step sees."""

    @abstractmethod
    def cost(self, horizon: int) -> float:
        """Return task evaluations per drawn task and outer step."""

    @abstractmethod
    def memory(self, weights: Weights, problem: Unrolled) -> Weights:
        """Return what is carried between outer steps, at its start."""

    @abstractmethod
    def estimate(self, meta: Meta, problem: Unrolled, lesson: Lesson) -> Outer:
        """Estimate the outer gradient on these tasks."""


class OuterRule(Part):
    """How the meta-parameters follow the outer gradient, per replicate."""

    @abstractmethod
    def start(self, weights: Weights) -> Weights:
        """Return the rule's state; every tensor leads with the replicate."""

    @abstractmethod
    def step(
        self, weights: Weights, grads: Weights, state: Weights
    ) -> tuple[Weights, Weights]:
        """Return new weights and state."""
