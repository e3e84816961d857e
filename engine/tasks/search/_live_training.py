"""Trainings on demand: the evaluator of live nets, and what it trains with.

A training is identified by its task, architecture, length and seed, and gives the same
result bit for bit, whatever else is in its batch; results are cached in the process.
"""

from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import ClassVar, NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from engine.nets.backpropagation import GAINS
from engine.protocol import Evaluator, Measurement, Space, generator
from engine.tasks.search._live_data import (
    NAMES,
    ROOT,
    TRAIN,
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
SEEDS = 2**20  # so many that a repeated training nearly never meets its cached result
SIDE_BY_SIDE, REMEMBERED = 64, 200_000  # nets per batch, results in the cache


class TrainingJob(NamedTuple):
    """One training.

    Args:
        task: Index among the names of the tasks.
        codes: The architecture.
        steps: Number of minibatches.
        seed: Seed of its initial weights and minibatches.
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
    """Trains nets of one space; those with data of equal shape in one batch."""

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
        """Return the sort key of a job within its batch."""
        return ()

    @abstractmethod
    def train(self, jobs: Sequence[TrainingJob]) -> PaddedNets:
        """Train jobs with equal numbers of steps and data of equal shape."""

    @abstractmethod
    def widths(
        self, codes: Int[np.ndarray, "item position"]
    ) -> Int[np.ndarray, "item layer"]:
        """Return the hidden units of the final nets, 0 for an absent layer.

        Args:
            codes: Shape (item, position).

        Returns:
            Shape (item, layer).
        """

    @abstractmethod
    def training_cost(
        self,
        which: Int[np.ndarray, " item"],
        codes: Int[np.ndarray, "item position"],
        steps: Int[np.ndarray, " item"],
    ) -> Float[np.ndarray, " item"]:
        """Return the multiply-adds of trainings; shape (item,)."""

    def measure(
        self,
        which: Int[np.ndarray, " item"],
        codes: Int[np.ndarray, "item position"],
        fidelity: Int[np.ndarray, " item"],
        uniform: Float[np.ndarray, " item"],
    ) -> Measurement:
        """Train architectures that are not cached, each with one of 2²⁰ seeds."""
        steps = np.array(STEPS)[fidelity]
        seeds = np.floor(uniform * SEEDS).astype(np.int64)
        jobs = [
            TrainingJob(int(task), tuple(map(int, code)), int(count), int(seed))
            for task, code, count, seed in zip(which, codes, steps, seeds, strict=True)
        ]
        found = self._measure_jobs(jobs)
        cost = self.training_cost(which, codes, steps) / 1e6
        return Measurement(found[:, 0], found[:, 1], cost)

    def property(
        self,
        name: str,
        which: Int[np.ndarray, " item"],
        codes: Int[np.ndarray, "item position"],
    ) -> Float[np.ndarray, " item"]:
        """Return the parameters, or the multiply-adds of one forward pass."""
        found = net_costs(*input_and_class_counts(which), self.widths(codes))
        return found[list(self.properties).index(name)].astype(float)

    def cheapest(self, which: int, fidelity: int) -> float:
        """Return the price of the cheapest training, in millions of multiply-adds."""
        codes = self.space.codes(np.arange(self.space.size))
        task, steps = np.full(len(codes), which), np.full(len(codes), STEPS[fidelity])
        return float(self.training_cost(task, codes, steps).min()) / 1e6

    def _measure_jobs(self, jobs: list[TrainingJob]) -> Float[np.ndarray, "job 2"]:
        """Return validation and test accuracy of each job; shape (job, 2)."""
        new = [job for job in dict.fromkeys(jobs) if job not in self._known]
        for some in self._batches(new):
            nets = self.train(some)
            found = [
                accuracy(nets, *stack_rows(some, p)) for p in ("validation", "test")
            ]
            # A training that failed on one part of the data counts as failed.
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


def input_and_class_counts(
    which: Int[np.ndarray, " item"],
) -> tuple[Int[np.ndarray, " item"], Int[np.ndarray, " item"]]:
    """Return the number of inputs and of classes of tasks; shape (item,) each."""
    known = [live_task(name) for name in NAMES]
    both = np.array([(task.features, task.classes) for task in known])
    return both[which, 0], both[which, 1]


def net_costs(
    inputs: Int[np.ndarray, " item"],
    classes: Int[np.ndarray, " item"],
    widths: Int[np.ndarray, "item layer"],
) -> tuple[Int[np.ndarray, " item"], Int[np.ndarray, " item"]]:
    """Return parameters and multiply-adds of nets; shape (item,) each.

    Args:
        inputs: Number of inputs; shape (item,).
        classes: Number of outputs; shape (item,).
        widths: Hidden units, 0 for an absent layer; shape (item, layer).

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
    """Return the padded shape of the nets of jobs with data of equal shape."""
    data = jobs[0].data
    return PaddedShape(data.features, data.classes, LAYERS, WIDTH)


def stack_rows(jobs: Sequence[TrainingJob], part: str) -> tuple[Tensor, Tensor]:
    """Stack the rows of train, validation or test; (job, row, feature), (job, row)."""
    rows = [getattr(job.data, part) for job in jobs]
    return torch.stack([r.x for r in rows]), torch.stack([r.y for r in rows])


def initial_nets(
    jobs: Sequence[TrainingJob],
    widths: Sequence[Sequence[int]],
    skips: Sequence[bool],
    activations: Sequence[str],
) -> PaddedNets:
    """Draw initial weights; nets of equal task and seed start from the same draws.

    Args:
        jobs: One per net, with data of equal shape.
        widths: Units of each hidden layer, one sequence per net.
        skips: Whether each net has skip connections.
        activations: One per net, equal ones adjacent.
    """
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
    """Draw the rows of every minibatch; shape (step, job, example)."""
    drawn = [
        generator(ROOT.child("batches", job.data.name, job.seed)).integers(
            0, TRAIN, (steps, BATCH)
        )
        for job in jobs
    ]
    return torch.from_numpy(np.stack(drawn, 1))
