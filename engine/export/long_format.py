"""Blocks in long form, one number per row: the rows of metrics.csv.

Rows are sorted by the spec and not by the order in which blocks were written, so a run
gives the same rows from the store and straight from the loop.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from jaxtyping import Float, Num

from engine.contract.events import PHASES, Block, Condition
from engine.contract.metrics import METRICS
from engine.contract.run_spec import RunSpec
from engine.export.missing_numbers import gap_status, missing_status
from engine.stats.block_table import BlockTable
from engine.stats.diverged_tasks import count_diverged, counts_diverged
from engine.stats.independent_units import are_independent, regroup_units
from engine.stats.inference.intervals import LOG_FLOOR, finite_mean
from engine.stats.inference.metric_intervals import is_log, metric_band
from engine.stats.replicate_concatenation import join_batches

COLUMNS = (
    "run",
    "learner",
    "role",
    "phase",
    "test_family",
    "shift",
    "severity",
    "metric",
    "statistic",
    "replicate",
    "task",
    "step",
    "inner_step",
    "layer",
    "rate",
    "bin",
    "context",
    "presentation",
    "value",
    "status",
)
# Recorded at validations for the live view and for pictures only.
LIVE = frozenset(
    (
        "loss",
        "lr_scale",
        "grad_norm",
        "weight_norm",
        "query_loss",
        "query_accuracy",
        "query_mse",
        "score",
        "regret",
        "entropy",
        "value_loss",
        "explained_variance",
        "attention",
        "memory_usage",
    )
)
# Of metrics that may be censored: the flag that is 0 where they are.
CENSORED = {
    **dict.fromkeys(
        (
            "steps_to_threshold",
            "evaluations_to_goal",
            "episodes_to_goal",
            "interactions_to_goal",
        ),
        "reached",
    ),
    "cost_to_goal": "reached",
    "recovery_steps": "recovered",
}
# Indices that name something, so they have no mean.
NAMES = frozenset({"architecture"})
# A mean over those that diverged would say nothing of the others.
NO_MEAN = NAMES | {"diverged_at"}
_PLACES = COLUMNS[COLUMNS.index("replicate") : COLUMNS.index("value")]
_ALONG = ("step", "rate", "context", "presentation")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # may begin a formula

NONE = "none"  # in a column of texts: no shift, no other family, no learner

CsvRow = tuple[object, ...]


def escape_formula(words: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with a leading quote.

    >>> escape_formula("=HYPERLINK(1)"), escape_formula("sgd")
    ("'=HYPERLINK(1)", 'sgd')
    """
    return f"'{words}" if words.lstrip(" ").startswith(_FORMULA) else words


def text_cell(words: str) -> str:
    """Return a text as a cell of a table; `none` where there is none.

    An empty cell would read as a missing value, and grouping by it would lose the row.

    >>> text_cell(""), text_cell("stretch")
    ('none', 'stretch')
    """
    return escape_formula(words) or NONE


def metrics_rows(
    key: str, spec: RunSpec, blocks: Iterable[Block], *, traces: bool = False
) -> Iterator[CsvRow]:
    """Yield the rows of metrics.csv.

    Args:
        key: The run's key, the first column.
        spec: Gives roles and the order of learners.
        blocks: All of the run's blocks.
        traces: Whether single traces are included, not only their means.

    Yields:
        One row per number, with the columns `COLUMNS`.
    """
    view = _RunBlocks(key, spec, blocks)
    for block in view.blocks:
        yield from _block_rows(view, block, traces)


class _RunBlocks:
    """A run's blocks in export order, and the flags of diverged and censored tasks."""

    def __init__(self, key: str, spec: RunSpec, blocks: Iterable[Block]) -> None:
        self.key = key
        self.roles = {c.label: c.role for c in spec.learners}
        places = {c.label: i for i, c in enumerate(spec.learners)}
        metrics = list(METRICS)
        self.blocks = sorted(
            (b for b in join_batches(blocks) if not _is_live(b)),
            key=lambda b: (
                PHASES.index(b.phase),
                (b.condition.family, b.condition.shift, b.condition.severity),
                (places.get(b.learner, -1), b.learner),
                metrics.index(b.metric),
                sorted(b.coords.items()),
            ),
        )
        self.table = BlockTable(self.blocks, spec.kind)
        labels = [c.label for c in spec.learners]
        self.free = {at for at in labels if are_independent(self.table, spec, [at])}
        tested = {b.metric for b in self.blocks if b.phase == "test"}
        self._counting = {m for m in tested if counts_diverged(self.table, m)}
        self._flags: dict[
            tuple[str, str, Condition], Num[np.ndarray, "replicate task"]
        ] = {
            (b.metric, b.learner, b.condition): b.array
            for b in self.blocks
            if b.axes == ("replicate", "task")
        }

    def task_flags(
        self, name: str, block: Block
    ) -> Num[np.ndarray, "replicate task"] | None:
        """Return the 0/1 metric of a name for a block's tasks; None if there is none.

        Shape (replicate, task).
        """
        if block.phase != "test" or block.axes[:2] != ("replicate", "task"):
            return None
        return self._flags.get((name, block.learner, block.condition))

    def count_diverged_tasks(
        self, block: Block, values: Float[np.ndarray, "..."]
    ) -> Float[np.ndarray, "..."]:
        """Return values in which diverged tasks count as in the summary."""
        if block.phase != "test" or block.metric not in self._counting:
            return values
        return count_diverged(block.metric, values)

    def row_head(self, block: Block) -> CsvRow:
        """Return the columns that all rows of a block share."""
        at = block.condition
        return (
            self.key,
            text_cell(block.learner),
            self.roles.get(block.learner, NONE),
            block.phase,
            text_cell(at.family),
            text_cell(at.shift),
            _int_if_whole(at.severity),
            block.metric,
        )


def _is_live(block: Block) -> bool:
    return block.phase == "validate" and block.metric in LIVE


def _block_rows(view: _RunBlocks, block: Block, traces: bool) -> Iterator[CsvRow]:
    curve = any(axis in block.axes for axis in _ALONG)
    if traces or not curve or "task" not in block.axes:
        yield from _value_rows(view, block)
    per_task = block.phase == "test" and block.axes == ("replicate", "task")
    if (curve or per_task) and block.metric not in NO_MEAN:
        yield from _mean_rows(view, block)


def _value_rows(view: _RunBlocks, block: Block) -> Iterator[CsvRow]:
    """Yield one row for every number of a block."""
    head = (*view.row_head(block), "value")
    lost = view.task_flags("diverged", block)
    got = view.task_flags(CENSORED.get(block.metric, ""), block)
    places = _PlaceColumns(block)
    for at in np.ndindex(block.array.shape):
        value = float(block.array[at])
        status = "ok"
        if not math.isfinite(value):
            status = missing_status(block, lost, at)
        elif got is not None and not got[at[:2]]:
            status = "censored"
        yield (*head, *places.at_index(at), _finite_or_empty(value), status)


def _mean_rows(view: _RunBlocks, block: Block) -> Iterator[CsvRow]:
    """Yield the means over tasks: of each replicate, then over replicates."""
    values, axes = _by_task(block)
    shape = values.shape[2:]
    gone = ~np.isfinite(values)
    values = view.count_diverged_tasks(block, values)
    head, lost = view.row_head(block), view.task_flags("diverged", block)
    if "task" in block.axes:
        yield from _task_mean_rows(head, block, values, gone.sum(axis=1), axes, lost)
    if "replicate" not in block.axes:
        return
    free = block.learner in view.free and block.phase == "test"
    band = metric_band(block.metric, regroup_units(values, trained=not free))
    members = values.shape[0] * values.shape[1]
    places = _PlaceColumns(block)
    for at in np.ndindex(shape):
        where = places.at_index(at, axes)
        missing = int(gone.sum(axis=(0, 1))[at])
        status = gap_status(block, missing, members, lost)
        for name, part in zip(("mean", "low", "high"), band, strict=False):
            yield (*head, name, *where, _finite_or_empty(float(part[at])), status)


def _task_mean_rows(
    head: CsvRow,
    block: Block,
    values: Float[np.ndarray, "replicate task ..."],
    gone: Num[np.ndarray, "replicate ..."],
    axes: tuple[str, ...],
    lost: Num[np.ndarray, "replicate task"] | None,
) -> Iterator[CsvRow]:
    logs = is_log(block.metric)
    # the floor keeps a loss of 0 from making the mean of the logarithms −∞
    scaled = np.log(np.maximum(values, LOG_FLOOR)) if logs else values
    means = finite_mean(scaled, 1)
    means = np.exp(means) if logs else means
    places = _PlaceColumns(block)
    lead = "replicate" in block.axes
    axes = ("replicate", *axes) if lead else axes
    for at in np.ndindex(means.shape):
        of = None if lost is None else lost[at[0]]
        status = gap_status(block, int(gone[at]), values.shape[1], of)
        where = places.at_index(at if lead else at[1:], axes)
        yield (*head, "task_mean", *where, _finite_or_empty(float(means[at])), status)


def _by_task(
    block: Block,
) -> tuple[Float[np.ndarray, "replicate task ..."], tuple[str, ...]]:
    """Return a block's array as (replicate, task, …), and the other axes' names."""
    values = np.asarray(block.array, dtype=np.float64)
    axes = list(block.axes)
    for place, axis in enumerate(("replicate", "task")):
        if axis in axes:
            values = np.moveaxis(values, axes.index(axis), place)
            axes.insert(place, axes.pop(axes.index(axis)))
        else:
            values = np.expand_dims(values, place)
            axes.insert(place, axis)
    return values, tuple(axes[2:])


class _PlaceColumns:
    """The columns replicate to rate of a block's rows; each value is formatted once."""

    def __init__(self, block: Block) -> None:
        self._axes = block.axes
        self._at = {
            axis: [_int_if_whole(at) for at in block.coordinates(axis)]
            for axis in block.axes
        }

    def at_index(
        self, at: tuple[int, ...], axes: tuple[str, ...] | None = None
    ) -> CsvRow:
        """Return these columns at an index along the given axes, or the block's."""
        named = dict(zip(self._axes if axes is None else axes, at, strict=True))
        return tuple(self._at[a][named[a]] if a in named else "" for a in _PLACES)


def _int_if_whole(number: float) -> object:
    return int(number) if float(number).is_integer() else float(number)


def _finite_or_empty(value: float) -> object:
    return value if math.isfinite(value) else ""
