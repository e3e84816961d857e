"""Interfaces of task batches, and of the families that draw them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, NamedTuple, Self

import torch
from torch import Tensor

from engine.contract.parts import Part
from engine.contract.rng import Rng
from engine.kernels.trainings import Span, TrainedSpan
from engine.protocol.meta_types import Weights
from engine.protocol.nets import Layout, Net
from engine.protocol.sample_checks import check_same_size, check_sample
from engine.protocol.samples import Sample, Warp

if TYPE_CHECKING:
    from engine.protocol.learners import UpdateRule
    from engine.protocol.rl import Environment


class Gradient(NamedTuple):
    """Loss, shape (member,), and its gradient, shape (member, weight).

    `norm` is the gradient's L2 norm before any clipping, shape (member,).
    """

    loss: Tensor
    grad: Tensor
    norm: Tensor


class TaskBatch(ABC):
    """A batch of tasks; it keeps no state between two adaptations.

    Attributes:
        replicates: Number of replicates; members lie replicate by replicate.
        chunk: Number of members that are computed at once.
    """

    replicates: int
    chunk: int

    @property
    @abstractmethod
    def members(self) -> int:
        """Number of tasks in the batch: replicate × (particle ×) task."""

    @abstractmethod
    def take(self, index: Sequence[int]) -> Self:
        """Return the chosen members as one replicate."""


class OptimizationBatch(TaskBatch):
    """A batch of losses to minimize: one base learner in training per member.

    Attributes:
        horizon: Number of steps.
        layout: Layout of the base learner's weights.
        drift_start: Step at which the tasks begin to change; None if they do not.
        chunk: Number of members that are computed at once.
    """

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
            step: Step of the run: it selects the minibatch and the drift.
            order: 0 detaches both; 1 keeps the loss differentiable; 2 keeps the
                gradient differentiable too.

        Returns:
            The loss, shape (member,), and its gradient, shape (member, weight).
        """

    def train(
        self, rule: "UpdateRule", weights: Tensor, state: Weights, span: Span
    ) -> TrainedSpan | None:
        """Train for several steps at once.

        Args:
            rule: The update rule.
            weights: Before the first step; shape (member, weight).
            state: Of the rule, likewise.
            span: The steps.

        Returns:
            What a loop over these steps gives, but for rounding; None if only such a
            loop can compute it.
        """
        return None

    @abstractmethod
    def measure(self, weights: Tensor, step: int) -> Weights:
        """Return the metrics on the held-out rows.

        Args:
            weights: Flat weights; shape (member, weight).
            step: Step of the run: it selects the drift.

        Returns:
            By metric; shape (member,). Also `loss`, the full training loss, where
            that of `gradient` covers only a minibatch.
        """

    @abstractmethod
    def repeat(self, particles: int) -> Self:
        """Return the batch with each task repeated: replicate × particle × task."""

    @abstractmethod
    def map_tensors(
        self, change: Callable[[Tensor], Tensor], replicates: int = 0
    ) -> Self:
        """Apply a function to every tensor, always in the same order.

        Args:
            change: The function; the first axis is the member.
            replicates: Replicates of the result; 0 leaves them as they are.
        """


@dataclass(frozen=True)
class Setting:
    """What a shift may change: the family, the base learner, the horizon, the data.

    Args:
        family: The family that tasks are drawn from.
        net: The base learner.
        horizon: Number of inner steps.
        warps: Changes of each task's data, applied in order.
        trained_family: The family of meta-training, if it is not `family`.
        wrappers: Changes of the environment that agents play in, applied in order.
    """

    family: "Family"
    net: Net
    horizon: int
    warps: tuple[Warp, ...] = field(default=(), compare=False)
    trained_family: "Family | None" = None
    wrappers: "tuple[Callable[[Environment], Environment], ...]" = ()

    def with_warp(self, warp: Warp) -> "Setting":
        """Return the setting with one more change of each task's data."""
        return replace(self, warps=(*self.warps, warp))

    def with_wrapper(
        self, wrapper: "Callable[[Environment], Environment]"
    ) -> "Setting":
        """Return the setting with one more change of the environment."""
        return replace(self, wrappers=(*self.wrappers, wrapper))


class Family(Part):
    """A distribution of tasks.

    Attributes:
        kind: The kind of task.
        output: What a base learner predicts: "classes", "value" or "none".
        uses_net: Whether a net is trained; bare functions have none.
        plane: Whether tasks live in the plane, so that a film can be shown.
        pooled: Whether rows are real data, divided into meta-training, validation
            and test pools.
        needs_file: Whether the user must provide the rows.
        file: The kind of that file.
        own_code: Whether it runs code that a spec names. Then only the command line and
            Python run it: a link must never start code.
        rate: Factor on the default learning rates of learners.
        outer_rate: Factor on the default learning rate of the outer rule.
        net: Name of the default net.
        net_start: How the net's weights start by default, as its literature does.
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
        "own_code",
        "rate",
        "outer_rate",
        "net",
        "net_start",
    )
    kind: ClassVar[str] = "optimization"
    output: ClassVar[str] = "classes"
    uses_net: ClassVar[bool] = True
    plane: ClassVar[bool] = False
    pooled: ClassVar[bool] = False
    needs_file: ClassVar[bool] = False
    file: ClassVar[str] = "csv"
    own_code: ClassVar[bool] = False
    rate: ClassVar[float] = 1.0
    outer_rate: ClassVar[float] = 1.0
    net: ClassVar[str] = "mlp"
    # He et al. (2015), for the rectifiers of the usual nets.
    net_start: ClassVar[str] = "he"

    @classmethod
    def why_incomplete(cls) -> str:
        """Return how kind, `solves` and folder disagree; empty if they agree."""
        kind, folder = cls.kind, cls.__module__.split(".")[-2]
        if cls.solves != {kind}:
            return (
                f"its tasks are of kind {kind!r}, but solves says "
                f"{', '.join(sorted(cls.solves))}; write "
                f'`solves: ClassVar[frozenset[str]] = frozenset({{"{kind}"}})`'
            )
        if folder != kind:
            return (
                f"its tasks are of kind {kind!r}, but its folder is {folder!r}; move "
                f"the file to engine/tasks/{kind}"
            )
        return ""

    @classmethod
    def missing_file(cls) -> str:
        """Return which file this family lacks; empty if none."""
        return ""

    def check(self) -> None:
        """Check that the knobs fit together, and fit the data.

        Raises:
            Refused: If they do not; its field is the knob's name.
        """

    def test_task_limit(self) -> int | None:
        """Return how many test tasks there are; None if each is drawn anew."""
        return None

    def answer_kind(self) -> str:
        """Return `output`, or what the knobs make it: classes, value or none."""
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
            batch_spec: Number of replicates, device and dtype.

        Returns:
            The batch, with one member per stream.
        """


class SampledFamily(Family):
    """A family whose tasks are data sets: training and held-out examples."""

    @abstractmethod
    def sample(self, rng: Rng, pool: str) -> Sample:
        """Draw the data of one task.

        Args:
            rng: The task's stream.
            pool: "train", "validation" or "test".
        """

    def draw_samples(
        self, setting: "Setting", rngs: Sequence[Rng], pool: str
    ) -> list[Sample]:
        """Draw the data of each task and apply the setting's changes.

        Args:
            setting: Its warps are applied, in order.
            rngs: One stream per task.
            pool: "train", "validation" or "test".

        Returns:
            One sample per stream.

        Raises:
            Refused: If the data of a task have the wrong shape, or the tasks differ in
                size.
        """
        drawn: list[Sample] = []
        for rng in rngs:
            sample = self.sample(rng, pool)
            if not drawn:  # one task tells of the others, but for their sizes
                check_sample(self.name, sample)
                first = sample
            check_same_size(self.name, first, sample)
            # A shift draws from children of the task's stream, so order only matters
            # for the data, not for the random numbers.
            for warp in setting.warps:
                sample = warp(sample, rng)
            drawn.append(sample)
        return drawn


class BatchSpec(NamedTuple):
    """Size and placement of a batch of tasks.

    Args:
        replicates: Number of replicates.
        device: Device of the tensors.
        dtype: Floating-point type of the tensors.
        measure_held_out: Whether held-out rows are measured; False is faster.
    """

    replicates: int = 1
    device: torch.device = torch.device("cpu")
    dtype: torch.dtype = torch.float32
    measure_held_out: bool = True
