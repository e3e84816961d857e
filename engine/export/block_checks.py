"""Checks of an imported run's blocks against its spec.

A block that no run of this spec can have is refused: one with another learner or
condition, more replicates, tasks or steps, axes in another order, coordinates that do
not rise, or the address of an earlier block.
"""

import math
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from engine.contract.errors import Refused
from engine.contract.events import MAP_AXES, Block, Condition
from engine.contract.metrics import METRICS
from engine.contract.replicate_batches import replicate_batches
from engine.contract.run_spec import RunSpec, StrictModel
from engine.contract.text_decoding import clean
from engine.contract.validation_messages import describe_error
from engine.export.coordinate_checks import (
    check_coordinate_axes,
    check_coordinates,
    parse_coordinates,
    quote,
)
from engine.export.spec_contents import spec_conditions, tuned_labels
from engine.store.arrow_codec import DTYPES

BLOCKS_LIMIT = 100_000
NUMBERS_LIMIT = 20_000_000
RATES_LIMIT = 200  # learning rates that one tuning tries
POSITIONS_LIMIT = 5_000  # steps of a test; the longest horizon of a budget
STRETCH_LIMIT = 100  # factor by which a shift may lengthen a horizon
ROUNDING = 1e-5  # by which rounding in float32 may exceed a metric's range
HEADS = {
    # Once all replicates of a few-shot run shared a rate, chosen over tasks.
    "tune": (("replicate",), ("rate", "task")),
    # The first inner step is measured on each validation task before training.
    "train": (("replicate",), ("replicate", "task")),
    "validate": (("replicate",),),
    # The histograms of how sure a learner was are over all tasks of a replicate.
    "test": (("replicate", "task"), ("replicate", "bin"), ("replicate",)),
}
_FURTHER = (
    "rate",
    "step",
    "layer",
    "inner_step",
    "cell",
    "context",
    "presentation",
    *MAP_AXES,
)


class _Header(StrictModel):
    """A block's header in an archive: all but its numbers."""

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
    """Collects the blocks of an archive and checks each against the spec.

    Args:
        spec: The run's completed spec.
    """

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
        """Check one more block and append it to `held`.

        Args:
            header: What the archive says of it; any JSON value.
            array: Its numbers.

        Raises:
            Refused: If no run of the spec can have it, with the block and its field.
        """
        name = f"block {len(self.held)}"
        try:
            self._count_numbers(array)
            checked = _Header.model_validate(header)
            name += f" ({quote(checked.metric)} of {quote(checked.learner)})"
            self.held.append(self._read_block(checked, array))
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

    def _read_block(self, header: _Header, array: np.ndarray) -> Block:
        condition = Condition(header.family, header.shift, header.severity)
        if header.learner not in self._labels:
            raise Refused(f"learner: the spec has no {quote(header.learner)}")
        if header.metric not in METRICS:
            raise Refused(f"metric: there is no metric {quote(header.metric)}")
        if condition not in self._conditions:
            raise Refused(
                f"the spec has no test under {_describe_condition(condition)}"
            )
        if header.phase != "test" and condition != Condition():
            raise Refused(
                f"phase: only a test can be under {_describe_condition(condition)}"
            )
        if header.phase == "tune" and not self._may_tune(header):
            raise Refused(f"phase: {quote(header.learner)} is not tuned in the spec")
        _check_shape(header, array)
        block = Block(
            header.learner,
            header.phase,
            header.metric,
            header.axes,
            array,
            condition,
            coords=parse_coordinates(header.coords),
        )
        check_coordinate_axes(block)
        for axis, length in zip(block.axes, array.shape, strict=True):
            self._check_axis(block, axis, length)
        _check_numbers(block)
        self._check_unique(block)
        return block

    def _may_tune(self, header: _Header) -> bool:
        """Return whether a learner can have a block of the phase `tune`.

        Learners that are not tuned may still count gradients there.
        """
        return header.learner in self._tuned or header.metric == "gradient_evaluations"

    def _check_axis(self, block: Block, axis: str, length: int) -> None:
        low, high = self._length_limits(block, axis)
        if not low <= length <= high:
            most = f"{high:,}" if low else f"at most {high:,}"
            raise Refused(f"shape: must be {most} along {axis}, not {length:,}")
        check_coordinates(block, axis, length, self._most_steps())

    def _length_limits(self, block: Block, axis: str) -> tuple[int, int]:
        """Return the smallest and the largest length of an axis."""
        budget = self._spec.budget
        match axis:
            case "replicate":
                count = self._batch_size(block)
                return count, count
            case "task" if block.phase == "tune":
                return 0, max(budget.tuning_tasks, budget.task_evaluations)
            case "task" if block.phase == "train":
                return 1, budget.validation_tasks
            case "task" if {"step", "layer"} & {*block.axes}:
                return budget.test_tasks, budget.test_tasks
            case "task":  # probes rerun only the first few of the test tasks
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

    def _batch_size(self, block: Block) -> int:
        """Return how many replicates the block's batch has."""
        given = block.coords.get("replicate")
        first = given[0] if given else 0.0
        found = [one for one in replicate_batches(self._spec) if one.start == first]
        if not found:
            raise Refused(f"coords: no batch of replicates begins at {first:g}")
        (batch,) = found
        if given not in (None, tuple(map(float, batch))):
            span = f"{batch.start} to {batch.stop - 1}"
            raise Refused(f"coords: the replicates of this batch must be {span}")
        return len(batch)

    def _most_steps(self) -> int:
        """Return an upper bound of meta-steps: each costs at least one gradient."""
        budget = self._spec.budget
        most = max(POSITIONS_LIMIT, budget.horizon) * STRETCH_LIMIT
        return max(most, budget.task_evaluations * budget.horizon)

    def _check_unique(self, block: Block) -> None:
        address = block.address()
        if address in self._addresses:
            raise Refused("this block is given twice")
        self._addresses.add(address)
        if "step" in block.coords:
            batch = block.coords.get("replicate", (0.0,))[0]
            measured = (block.learner, block.phase, block.metric, block.condition)
            series = (*measured, batch)
            before = self._steps.setdefault(series, set())
            if again := before & set(block.coords["step"]):
                raise Refused(f"coords: step {min(again):g} is given twice")
            before.update(block.coords["step"])


def check_labels(spec: RunSpec) -> None:
    """Check that the learners of a spec have labels, all different.

    Raises:
        Refused: If a label is empty or given twice: the spec is not a completed one.
    """
    labels = [learner.label for learner in spec.learners]
    for place, label in enumerate(labels):
        if not label or label in labels[:place]:
            reason = f"{quote(label)} is empty or given twice"
            raise Refused(f"learners.{place}.label: {reason}", f"learners.{place}")


def _check_shape(header: _Header, array: np.ndarray) -> None:
    """Check the dtype, the shape and the order of axes."""
    form = (array.dtype.str[1:], array.shape)
    if form != (header.dtype, header.shape) or header.dtype not in DTYPES:
        given = f"{header.dtype[:9]}, {header.shape[:9]}"
        raise Refused(f"dtype or shape: {given} do not fit the array")
    if header.axes and not any(
        _fits_head(header.axes, head) for head in HEADS[header.phase]
    ):
        shown = ", ".join(header.axes)
        raise Refused(f"axes: no block of phase {header.phase} has {quote(shown)}")
    if len(header.axes) != len(header.shape):
        raise Refused(f"axes: {len(header.axes)} do not fit shape {header.shape[:9]}")


def _fits_head(axes: tuple[str, ...], head: tuple[str, ...]) -> bool:
    """Return whether axes begin with these and go on in their usual order."""
    rest = axes[len(head) :]
    return axes[: len(head)] == head and list(rest) == [
        a for a in _FURTHER if a in rest
    ]


def _check_numbers(block: Block) -> None:
    """Check that every number is in the range of its metric."""
    metric, array = METRICS[block.metric], block.array
    if metric.always and not np.isfinite(array).all():
        odd = float(array[~np.isfinite(array)].flat[0])
        shown = "NaN" if math.isnan(odd) else f"{odd:g}"
        raise Refused(f"numbers: {metric.name} must be finite, not {shown}")
    allowed = f"from {metric.low:g} to {metric.high:g}"
    wrong = (array < metric.low - ROUNDING) | (array > metric.high + ROUNDING)
    if metric.flag:
        allowed, wrong = "0 or 1", (array != 0) & (array != 1)
    elif metric.high == math.inf:
        allowed = f"at least {metric.low:g}"
    if wrong.any():
        first = float(array[wrong].flat[0])
        raise Refused(f"numbers: {metric.name} must be {allowed}, not {first:g}")


def first_problem(error: ValidationError) -> str:
    """Return a validation's first error: the field, what is allowed, what was given."""
    first = error.errors()[0]
    field = clean(".".join(str(step) for step in first["loc"]))[:60]
    reason = (
        "no run has this field"
        if first["type"] == "extra_forbidden"
        else describe_error(first)
    )
    return f"{field}: {reason}" if field else f"it {reason}"


def _describe_condition(condition: Condition) -> str:
    name = condition.shift or condition.family
    return f"{quote(name)}, severity {condition.severity:g}"
