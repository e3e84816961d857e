"""What a task is: landscapes side by side, families that draw them, shifts."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

from engine.contract.parts import Part
from engine.contract.rng import Rng
from engine.protocol.meta_types import Weights
from engine.protocol.nets import Layout, Net


class Gradient(NamedTuple):
    """Loss, shape (member,), and its gradient, shape (member, weight).

    `norm` is the gradient's L2 norm before any clipping, shape (member,).
    """

    loss: Tensor
    grad: Tensor
    norm: Tensor


class TaskBatch(ABC):
    """Tasks side by side; it keeps nothing between two adaptations.

    `chunk` is how many members are computed at once.
    """

    replicates: int
    chunk: int

    @property
    @abstractmethod
    def members(self) -> int:
        """How many tasks run side by side."""

    @abstractmethod
    def take(self, index: Sequence[int]) -> Self:
        """Return the chosen members as one replicate."""


class OptimizationBatch(TaskBatch):
    """Losses to be descended: one base learner in training per member."""

    horizon: int
    layout: Layout
    drift_start: int | None = None
    chunk: int = 64

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


@dataclass
class Episode(Sample):
    """One few-shot task: `x`, `y` are its support, `held_x`, `held_y` its queries.

    Args:
        shape: Of one example: (feature,), or (channel, height, width).
        ids: Which class of its pool each support example is of; shape (example,).
            None where answers are values.
        held_ids: The same of the queries.
        known: How many classes the pool of meta-training has; 0 for values.
        truth: Inputs and answers without noise, to be drawn; shape (2, point).
    """

    shape: tuple[int, ...] = ()
    ids: np.ndarray | None = None
    held_ids: np.ndarray | None = None
    known_classes: int = 0
    truth: np.ndarray | None = None


Warp = Callable[[Sample, Rng], Sample]


@dataclass(frozen=True)
class Setting:
    """What a shift may change: the family, the base learner, horizon and data.

    `trained` is the family of meta-training, where this is another one.
    """

    family: "Family"
    net: Net
    horizon: int
    warps: tuple[Warp, ...] = field(default=(), compare=False)
    trained_family: "Family | None" = None

    def with_warp(self, warp: Warp) -> "Setting":
        """Return the setting with one more change of each task's data."""
        return replace(self, warps=(*self.warps, warp))


class Family(Part):
    """A distribution of tasks.

    `output` is what a base learner answers; `plane` says that tasks live in the
    plane, so that a film can be shown; `pooled` that rows are real and divided
    into meta-train, validation and test pools; `needs_file` that a person must give
    the rows, as a `file` of that kind; `rate` by how much the usual learning rates
    suit it: default rates are multiplied by it, and those of the outer rule by
    `outer_rate`. `net` names the net that is usual there.
    """

    slot: ClassVar[str] = "family"
    traits: ClassVar[tuple[str, ...]] = (
        "kind",
        "output",
        "uses_net",
        "plane",
        "pooled",
        "needs_file",
        "file",
        "rate",
        "outer_rate",
        "net",
    )
    kind: ClassVar[str] = "optimization"
    output: ClassVar[str] = "classes"
    uses_net: ClassVar[bool] = True
    plane: ClassVar[bool] = False
    pooled: ClassVar[bool] = False
    needs_file: ClassVar[bool] = False
    file: ClassVar[str] = "csv"
    rate: ClassVar[float] = 1.0
    outer_rate: ClassVar[float] = 1.0
    net: ClassVar[str] = "mlp"

    @classmethod
    def why_incomplete(cls) -> str:
        """Say that a family draws tasks of another kind than it says, or folder."""
        kind, folder = cls.kind, cls.__module__.split(".")[-2]
        if cls.solves == {kind} and folder == kind:
            return ""
        return (
            f"its tasks are of kind {kind!r}, solves says {sorted(cls.solves)} and its "
            f"folder is {folder!r}; make all three the same"
        )

    @classmethod
    def missing_file(cls) -> str:
        """Name the file that this family needs and that is absent, or nothing."""
        return ""

    def check(self) -> None:
        """Refuse knobs that do not fit together, or not the data.

        Raises:
            Refused: With the knob's name as its field.
        """

    def answer_kind(self) -> str:
        """Return `output`, or what the knobs make of it: classes, value or none."""
        return self.output

    @abstractmethod
    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, batch_spec: "BatchSpec"
    ) -> TaskBatch:
        """Draw one task per stream.

        Args:
            setting: The base learner, horizon and changes of data to use.
            rngs: One stream per replicate × task, in that order.
            pool: "train", "validation" or "test".
            batch_spec: How many replicates, and on which device.
        """


class SampledFamily(Family):
    """A family whose tasks are data: examples to learn from and to be judged on."""

    @abstractmethod
    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw the data of one task from a pool: train, validation or test."""

    def draw_samples(
        self, setting: "Setting", rngs: Sequence[Rng], pool: str
    ) -> list[Sample]:
        """Draw the data of each task, and change it as the setting says."""
        drawn = []
        for rng in rngs:
            sample = self.sample(rng, pool)
            for warp in setting.warps:
                sample = warp(sample, rng)
            drawn.append(sample)
        return drawn


class BatchSpec(NamedTuple):
    """Where tasks are put and how many replicates they are of.

    Without `held` their held-out rows are left unmeasured, which is faster.
    """

    replicates: int = 1
    device: torch.device = torch.device("cpu")
    dtype: torch.dtype = torch.float32
    measure_held_out: bool = True


class Shift(Part):
    """A change of the setting, with a severity; 0 is the identity."""

    slot: ClassVar[str] = "shift"
    traits: ClassVar[tuple[str, ...]] = ("unit", "severities", "top", "switch")
    unit: ClassVar[str] = ""
    severities: ClassVar[tuple[float, ...]] = ()
    top: ClassVar[float] = 10.0
    switch: ClassVar[bool] = False

    @classmethod
    def why_incomplete(cls) -> str:
        """Say that a shift has no severities, or some that it does not allow."""
        if cls.severities and all(0 < s <= cls.top for s in cls.severities):
            return ""
        return (
            f"severities is {cls.severities}; name some above 0 and at most top = "
            f"{cls.top:g}, as in `severities: ClassVar[tuple[float, ...]] = (1.0,)`"
        )

    @abstractmethod
    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""

    @abstractmethod
    def apply(self, setting: Setting, severity: float) -> Setting:
        """Return the shifted setting; `severity` is above 0."""
