"""Architectures trained when they are asked for: what such spaces share.

A training is named by its task, architecture, length and seed, and comes out the same
bit for bit whatever is trained beside it; one that was done in this process is looked
up.
"""

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from engine.contract.parts import knob
from engine.nets.backpropagation import GAINS
from engine.protocol import Evaluator, Measurement, Space, generator
from engine.tasks.search._family import SearchFamily
from engine.tasks.search._live_data import (
    NAMES,
    ROOT,
    TRAIN,
    DataSetName,
    LiveTask,
    live_task,
    live_task_features,
)
from engine.tasks.search._padded_mlp import (
    PaddedNets,
    PaddedShape,
    accuracy,
    make_gates,
)

LAYERS, WIDTH, BATCH = 4, 32, 32
# Forward, and backward to the weights and to the inputs of each layer.
PASSES = 3
STEPS = (18, 54, 162)
SEEDS = 2**20
SIDE_BY_SIDE, REMEMBERED = 64, 200_000
Numbers = np.ndarray


class TrainingJob(NamedTuple):
    """One training.

    Args:
        task: Position in the names of the tasks.
        codes: The architecture.
        steps: How long it is trained.
        seed: Of its start and its minibatches.
    """

    task: int
    codes: tuple[int, ...]
    steps: int
    seed: int

    @property
    def data(self) -> LiveTask:
        """Return the task's rows."""
        return live_task(NAMES[self.task])


class LiveEvaluator(Evaluator):
    """Trains nets of one space, those of one form of data side by side."""

    tasks = NAMES
    fidelities = tuple(float(steps) for steps in STEPS)
    fidelity_unit = "steps"
    cost_unit = "M multiply-adds"
    properties: ClassVar[dict[str, str]] = {
        "parameters": "count",
        "multiply-adds": "count",
    }

    def __init__(self, space: Space) -> None:
        self.space = space
        self.features = live_task_features()
        self._known: OrderedDict[TrainingJob, tuple[float, float]] = OrderedDict()

    def sort_key(self, job: TrainingJob) -> tuple[int, ...]:
        """Return where a job stands among those beside it: the low first."""
        return ()

    @abstractmethod
    def train(self, jobs: Sequence[TrainingJob]) -> PaddedNets:
        """Train jobs of as many steps, on data of one form."""

    @abstractmethod
    def widths(self, codes: Numbers) -> Numbers:
        """Return the hidden units that nets end with, 0 for an absent layer.

        Args:
            codes: Shape (item, position).

        Returns:
            Shape (item, layer).
        """

    @abstractmethod
    def training_cost(self, which: Numbers, codes: Numbers, steps: Numbers) -> Numbers:
        """Return the multiply-adds of trainings; shape (item,)."""

    def measure(
        self, which: Numbers, codes: Numbers, fidelity: Numbers, uniform: Numbers
    ) -> Measurement:
        """Train what was not yet trained; one of 2²⁰ seeds each."""
        steps = np.array(STEPS)[fidelity]
        seeds = np.floor(uniform * SEEDS).astype(np.int64)
        jobs = [
            TrainingJob(int(task), tuple(map(int, code)), int(count), int(seed))
            for task, code, count, seed in zip(which, codes, steps, seeds, strict=True)
        ]
        found = self._measure_jobs(jobs)
        cost = self.training_cost(which, codes, steps) / 1e6
        return Measurement(found[:, 0], found[:, 1], cost)

    def property(self, name: str, which: Numbers, codes: Numbers) -> Numbers:
        """Count the parameters, or the multiply-adds of one answer."""
        found = net_costs(*input_and_class_counts(which), self.widths(codes))
        return found[list(self.properties).index(name)].astype(float)

    def cheapest(self, which: int, fidelity: int) -> float:
        """Return the price of the least work that a training can be."""
        codes = self.space.codes(np.arange(self.space.size))
        task, steps = np.full(len(codes), which), np.full(len(codes), STEPS[fidelity])
        return float(self.training_cost(task, codes, steps).min()) / 1e6

    def _measure_jobs(self, jobs: list[TrainingJob]) -> Numbers:
        """Return validation and test accuracy of each job; shape (job, 2)."""
        new = [job for job in dict.fromkeys(jobs) if job not in self._known]
        for some in self._batches(new):
            nets = self.train(some)
            found = [
                accuracy(nets, *stack_rows(some, p)) for p in ("validation", "test")
            ]
            # A training that failed in one part failed.
            both = torch.stack(found, 1)
            both[both.isnan().any(1)] = torch.nan
            self._known |= dict(zip(some, map(tuple, both.tolist()), strict=True))
        answers = np.array([self._known[job] for job in jobs])
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return answers

    def _batches(self, jobs: list[TrainingJob]) -> Iterator[list[TrainingJob]]:
        def key(job: TrainingJob) -> tuple[int, ...]:
            return (job.steps, job.data.features, job.data.classes)

        ordered = sorted(sorted(jobs, key=self.sort_key), key=key)
        for _, group in groupby(ordered, key):
            alike = list(group)
            for first in range(0, len(alike), SIDE_BY_SIDE):
                yield alike[first : first + SIDE_BY_SIDE]


def input_and_class_counts(which: Numbers) -> tuple[Numbers, Numbers]:
    """Return inputs and classes of tasks; shape (item,) each."""
    known = [live_task(name) for name in NAMES]
    both = np.array([(task.features, task.classes) for task in known])
    return both[which, 0], both[which, 1]


def net_costs(
    inputs: Numbers, classes: Numbers, widths: Numbers
) -> tuple[Numbers, Numbers]:
    """Return parameters and multiply-adds of nets; shape (item,) each.

    >>> [int(n[0]) for n in net_costs(np.array([2]), np.array([3]), np.array([[4, 0]]))]
    [27, 20]
    """
    before, weights, units = inputs, np.zeros_like(inputs), np.zeros_like(inputs)
    for width in (*widths.T, classes):
        weights = weights + before * width
        units = units + width
        before = np.where(width > 0, width, before)
    return weights + units, weights


def padded_shape(jobs: Sequence[TrainingJob]) -> PaddedShape:
    """Return what the nets of jobs on data of one form are padded to."""
    data = jobs[0].data
    return PaddedShape(data.features, data.classes, LAYERS, WIDTH)


def stack_rows(jobs: Sequence[TrainingJob], part: str) -> tuple[Tensor, Tensor]:
    """Stack the rows of a part; (job, row, feature) and (job, row)."""
    rows = [getattr(job.data, part) for job in jobs]
    return torch.stack([r.x for r in rows]), torch.stack([r.y for r in rows])


def initial_nets(
    jobs: Sequence[TrainingJob],
    widths: Sequence[Sequence[int]],
    skips: Sequence[bool],
    activations: Sequence[str],
) -> PaddedNets:
    """Draw initial weights; nets of one task and seed begin with the same draws."""
    frame = padded_shape(jobs)
    flat = torch.stack(
        [
            _draw_weights(frame, job, units, GAINS[activation])
            for job, units, activation in zip(jobs, widths, activations, strict=True)
        ]
    )
    runs = tuple((name, len(list(some))) for name, some in groupby(activations))
    return PaddedNets(frame, flat, *make_gates(frame, widths, skips), runs)


def _draw_weights(
    frame: PaddedShape, job: TrainingJob, widths: Sequence[int], gain: float
) -> Tensor:
    """Draw weights of variance gain / inputs; biases are zero."""
    draw = generator(ROOT.child("start", job.data.name, job.seed))
    fans = [frame.features, *widths]
    pieces = []
    for name, shape in frame.shapes().items():
        if len(shape) == 1:
            pieces.append(np.zeros(shape))
            continue
        drawn = draw.standard_normal(shape).ravel()
        layer = int(name[1:])
        head = layer == frame.layers
        fan = fans[-1] if head else fans[min(layer, len(widths))]
        pieces.append(drawn * np.sqrt((1.0 if head else gain) / fan))
    return torch.from_numpy(np.concatenate(pieces))


def draw_minibatches(jobs: Sequence[TrainingJob], steps: int) -> Tensor:
    """Choose the rows of every minibatch; shape (step, job, example)."""
    drawn = [
        generator(ROOT.child("batches", job.data.name, job.seed)).integers(
            0, TRAIN, (steps, BATCH)
        )
        for job in jobs
    ]
    return torch.from_numpy(np.stack(drawn, 1))


class LiveFamily(SearchFamily):
    """A family whose architectures are trained when they are asked for."""

    solves: ClassVar[frozenset[str]] = frozenset({"search"})
    limit: ClassVar[str] = "work"

    target: DataSetName = knob(
        "checkerboard",
        label="Searched on",
        help="The data set of the tests: 256 rows to train on, 256 to validate, 512 "
        "to test.",
    )
    source: Literal[
        "the others", "moons", "rings", "spirals", "checkerboard", "gaussians", "digits"
    ] = knob(
        "the others",
        label="Learned on",
        help="The data set of meta-training and validation, or all but the one of the "
        "tests.",
    )
    steps: Literal["18", "54", "162"] = knob(
        "54",
        label="Steps of a training",
        help="Minibatches of 32 rows that an architecture is fully trained with; "
        "strategies that stop trainings early may ask for fewer.",
    )
    work: float = knob(
        0.0,
        label="Budget of a search",
        unit="M multiply-adds",
        low=0.0,
        high=1e9,
        help="Multiply-adds that all trainings of a search may take together; 0 "
        "limits only their count.",
    )

    def sources(self, pool: str) -> tuple[int, ...]:
        """Return the data sets of the pool."""
        if pool == "test":
            return (NAMES.index(self.target),)
        if self.source == "the others":
            return tuple(i for i, name in enumerate(NAMES) if name != self.target)
        return (NAMES.index(self.source),)

    def budget(self) -> float:
        """Return the multiply-adds, in millions, or no limit."""
        return self.work or float("inf")

    def full_fidelity(self) -> int:
        """Return the fidelity of the chosen steps."""
        return STEPS.index(int(self.steps))
