"""What the blocks of a run can be, given its spec: the facts that an import checks.

A block that the loop could not have written for this spec is refused by name: another
learner or condition, more replicates, tasks or steps, axes in another order, positions
that do not rise, or the same numbers twice.
"""

import itertools
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from engine.contract.errors import Refused
from engine.contract.events import Block, Condition
from engine.contract.metrics import METRICS
from engine.contract.plain_errors import describe_error
from engine.contract.runs import RunSpec, StrictModel
from engine.contract.text_input import clean
from engine.store.arrow_codec import DTYPES

BLOCKS_LIMIT = 100_000
NUMBERS_LIMIT = 20_000_000
RATES_LIMIT = 200
POSITIONS_LIMIT = 5_000  # of a test's steps; no horizon is longer
STRETCH_LIMIT = 100  # times that a shift may make a horizon longer
ROUNDING = 1e-5  # by which a share of float32 may pass its bound
HEADS = {
    "tune": ("rate", "task"),
    "train": ("replicate",),
    "validate": ("replicate",),
    "test": ("replicate", "task"),
}
_FURTHER = ("step", "layer", "inner_step", "cell")
_ALONG = ("step", "rate")  # axes that have positions of their own


class _Header(StrictModel):
    """All of a block but its numbers, as an archive tells it."""

    learner: str
    phase: Literal["tune", "train", "validate", "test"]
    metric: str
    family: str
    shift: str
    severity: float
    axes: tuple[str, ...] = Field(strict=False)
    coords: str
    dtype: str
    shape: tuple[int, ...] = Field(strict=False)


class BlockReader:
    """The blocks of an archive, each held against the spec as it comes."""

    def __init__(self, spec: RunSpec) -> None:
        self.held: list[Block] = []
        self._spec, self._numbers = spec, 0
        self._labels = {"", *(learner.label for learner in spec.learners)}
        self._tuned = tuned_labels(spec)
        self._conditions = spec_conditions(spec)
        self._addresses: set[tuple[object, ...]] = set()
        self._steps: dict[tuple[object, ...], set[float]] = {}
        self._tasks: dict[str, int] = {}

    def add(self, header: Any, array: np.ndarray) -> None:
        """Take one more block.

        Raises:
            Refused: If no run of the spec has it, with the block and its field.
        """
        name = f"block {len(self.held)}"
        try:
            self._count_numbers(array)
            told = _Header.model_validate(header)
            name += f" ({_quote(told.metric)} of {_quote(told.learner)})"
            self.held.append(self._read_block(told, array))
        except ValidationError as error:
            raise Refused(f"{name}: {first_problem(error)}") from None
        except Refused as refusal:
            raise Refused(f"{name}: {refusal.message}") from None

    def _count_numbers(self, array: np.ndarray) -> None:
        self._numbers += array.size
        if len(self.held) >= BLOCKS_LIMIT:
            raise Refused(f"there are more blocks than {BLOCKS_LIMIT:,}")
        if self._numbers > NUMBERS_LIMIT:
            raise Refused(f"there are more numbers than {NUMBERS_LIMIT:,}")

    def _read_block(self, told: _Header, array: np.ndarray) -> Block:
        condition = Condition(told.family, told.shift, told.severity)
        if told.learner not in self._labels:
            raise Refused(f"learner: the spec names no {_quote(told.learner)}")
        if told.metric not in METRICS:
            raise Refused(f"metric: none is called {_quote(told.metric)}")
        if condition not in self._conditions:
            raise Refused(
                f"the spec has no test under {_describe_condition(condition)}"
            )
        if told.phase != "test" and condition != Condition():
            raise Refused(
                f"phase: only tests are under {_describe_condition(condition)}"
            )
        if told.phase == "tune" and not self._may_tune(told):
            raise Refused(f"phase: {_quote(told.learner)} is not tuned in the spec")
        _check_shape(told, array)
        block = Block(
            told.learner,
            told.phase,
            told.metric,
            told.axes,
            array,
            condition,
            coords=_parse_coordinates(told.coords),
        )
        _check_coordinate_axes(block)
        for axis, length in zip(block.axes, array.shape, strict=True):
            self._check_axis(block, axis, length)
        _check_numbers(block)
        self._check_unique(block)
        return block

    def _may_tune(self, told: _Header) -> bool:
        """Say whether a learner can tell of tuning; some count its price as trained."""
        return told.learner in self._tuned or told.metric == "gradient_evaluations"

    def _check_axis(self, block: Block, axis: str, length: int) -> None:
        low, high = self._length_limits(block, axis)
        if not low <= length <= high:
            most = f"{high:,}" if low else f"at most {high:,}"
            raise Refused(f"shape: {length:,} along {axis}, where there are {most}")
        _check_coordinates(block, axis, length, self._most_steps())

    def _length_limits(self, block: Block, axis: str) -> tuple[int, int]:
        """Return how few and how many there can be along an axis."""
        spec, budget = self._spec, self._spec.budget
        match axis:
            case "replicate":
                return spec.replicates, spec.replicates
            case "task" if block.phase == "tune":
                return 0, max(budget.tuning_tasks, budget.task_evaluations)
            case "task" if len(block.axes) > len(HEADS["test"]):
                return budget.test_tasks, budget.test_tasks
            case "task":  # what is asked again is asked of the first few
                asked = self._tasks.setdefault(block.metric, block.array.shape[1])
                return (most := min(asked, budget.test_tasks)), most
            case "rate":
                return 0, RATES_LIMIT
            case "step" if block.phase == "test":
                given = "step" in block.coords
                most = POSITIONS_LIMIT if given else budget.horizon
                return 0, most * (STRETCH_LIMIT if block.condition.shift else 1) + 1
            case "step":
                return 0, self._most_steps()
        return 0, NUMBERS_LIMIT

    def _most_steps(self) -> int:
        """Return a bound on meta-steps: each costs a gradient of a task at least."""
        budget = self._spec.budget
        most = max(POSITIONS_LIMIT, budget.horizon) * STRETCH_LIMIT
        return max(most, budget.task_evaluations * budget.horizon)

    def _check_unique(self, block: Block) -> None:
        address = block.address()
        if address in self._addresses:
            raise Refused("it is there twice")
        self._addresses.add(address)
        if "step" in block.coords:
            series = (block.learner, block.phase, block.metric, block.condition)
            before = self._steps.setdefault(series, set())
            if again := before & set(block.coords["step"]):
                raise Refused(f"coords: step {min(again):g} is there twice")
            before.update(block.coords["step"])


def spec_conditions(spec: RunSpec) -> set[Condition]:
    """Return every condition that a spec tests under."""
    found = {Condition()}
    for shift in spec.shifts:
        found |= {Condition("", shift.name, each) for each in shift.severities}
    names = [choice.name for choice in spec.test_families]
    for name in names:
        many = [f"{name}_{i + 1}" for i in range(names.count(name))]
        found |= {Condition(each) for each in (many if len(many) > 1 else [name])}
    return found


def tuned_labels(spec: RunSpec) -> set[str]:
    """Return the labels of the learners whose rate a run chooses."""
    return {c.label for c in spec.learners if c.knobs.get("tuning", "given") != "given"}


def diverged_learners(spec: RunSpec, blocks: Iterable[Block]) -> list[str]:
    """Return the chosen learners that lost every task of the test in distribution."""
    chosen = {c.label for c in spec.learners if c.role == "chosen"}
    tests = [b for b in blocks if (b.phase, b.metric) == ("test", "diverged")]
    here = [b for b in tests if b.condition == Condition() and b.learner in chosen]
    return [b.learner for b in here if b.array.size and b.array.all()]


def check_labels(spec: RunSpec) -> None:
    """Refuse a spec whose learners cannot be told apart.

    Raises:
        Refused: If a label is missing or given twice: the spec is not complete.
    """
    labels = [learner.label for learner in spec.learners]
    for place, label in enumerate(labels):
        if not label or label in labels[:place]:
            reason = f"{_quote(label)} is empty or given twice"
            raise Refused(f"learners.{place}.label: {reason}", f"learners.{place}")


def _check_shape(told: _Header, array: np.ndarray) -> None:
    """Check type, shape and the order of axes."""
    form = (array.dtype.str[1:], array.shape)
    if form != (told.dtype, told.shape) or told.dtype not in DTYPES:
        raise Refused(f"dtype or shape: it says {told.dtype[:9]}, {told.shape[:9]}")
    head = HEADS[told.phase]
    rest = told.axes[len(head) :]
    known = [axis for axis in _FURTHER if axis in rest]
    if told.axes and (told.axes[: len(head)] != head or list(rest) != known):
        shown = ", ".join(told.axes)
        raise Refused(f"axes: none of phase {told.phase} has {_quote(shown)}")
    if len(told.axes) != len(told.shape):
        raise Refused(f"axes: {len(told.axes)} do not fit shape {told.shape[:9]}")


def _check_numbers(block: Block) -> None:
    """Check that every number is one that its metric can be."""
    metric, array = METRICS[block.metric], block.array
    if metric.always and not np.isfinite(array).all():
        odd = float(array[~np.isfinite(array)].flat[0])
        told = "NaN" if math.isnan(odd) else f"{odd:g}"
        raise Refused(f"numbers: {told}, where every {metric.name} is a finite number")
    allowed = f"from {metric.low:g} to {metric.high:g}"
    wrong = (array < metric.low - ROUNDING) | (array > metric.high + ROUNDING)
    if metric.flag:
        allowed, wrong = "0 or 1", (array != 0) & (array != 1)
    elif metric.high == math.inf:
        allowed = f"at least {metric.low:g}"
    if wrong.any():
        first = float(array[wrong].flat[0])
        raise Refused(f"numbers: {first:g}, where {metric.name} is {allowed}")


def _parse_coordinates(text: str) -> dict[str, tuple[float, ...]]:
    """Return the positions along axes; JSON's NaN and infinities are no positions."""
    try:
        told = json.loads(text, parse_constant=lambda word: math.nan)
    except ValueError:
        raise Refused(f"coords: they must be JSON, not {_quote(text)}") from None
    if not isinstance(told, Mapping):
        raise Refused(f"coords: they must be a JSON object, not {_quote(text)}")
    found = {}
    for axis, at in told.items():
        if not isinstance(at, list) or not all(type(x) in (int, float) for x in at):
            raise Refused(f"coords: {_quote(axis)} must hold a list of numbers")
        try:
            found[axis] = tuple(map(float, at))
        except OverflowError:
            raise Refused(f"coords: {_quote(axis)} holds a number too large") from None
    return found


def _check_coordinate_axes(block: Block) -> None:
    """Check that just those axes have positions that can have them."""
    if extra := set(block.coords) - set(block.axes).intersection(_ALONG):
        raise Refused(f"coords: {_quote(min(extra))} has no positions in this block")
    if "rate" in block.axes and "rate" not in block.coords:
        raise Refused("coords: the rates that were tried are missing")


def _check_coordinates(block: Block, axis: str, length: int, most: int) -> None:
    at = block.coords.get(axis)
    if at is None:
        return
    if len(at) != length or not at:
        raise Refused(f"coords: {len(at):,} positions along {axis} of {length:,}")
    rises = all(one < two for one, two in itertools.pairwise(at))
    if not rises or not all(map(math.isfinite, at)):
        raise Refused(f"coords: {axis} must rise, each position a finite number")
    if at[0] < 0:
        raise Refused(f"coords: {axis} {at[0]:g}, where none is negative")
    if axis == "step" and (odd := [x for x in at if x > most or x % 1]):
        limits = f"whole numbers from 0 to {most:,}"
        raise Refused(f"coords: step {odd[0]:g}, where steps are {limits}")


def first_problem(error: ValidationError) -> str:
    """Return the first problem: the field, what is asked, and what was given."""
    first = error.errors()[0]
    field = clean(".".join(str(step) for step in first["loc"]))[:60]
    reason = (
        "no run has it" if first["type"] == "extra_forbidden" else describe_error(first)
    )
    return f"{field}: {reason}" if field else f"it {reason}"


def _describe_condition(condition: Condition) -> str:
    name = condition.shift or condition.family
    return f"{_quote(name)}, severity {condition.severity:g}"


def _quote(word: str) -> str:
    return repr(clean(word)[:40])
