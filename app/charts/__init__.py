"""A run and a way of looking at it → figures; pure, one file per kind of task."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.charts.view_state import Look, Picture
from app.client.client import Run
from app.figures.curves import READ
from engine.contract.blocks import Block
from engine.contract.kinds import ByKind
from engine.stats import curves
from engine.stats.curves import Curve


def _mean(run: Run, block: Block) -> Curve | None:
    """Return a metric's mean over the test tasks with its band."""
    return curves.curve(block)


class Charts(NamedTuple):
    """How runs of a kind are charted.

    Args:
        grid: Yields the main pictures of a run.
        how_to_read: What stands above them, once there are tests.
        line: Turns one learner's tests into a line, to be laid over other runs.
    """

    grid: Callable[[Run, Look], Iterator[Picture]]
    how_to_read: str = READ
    line: Callable[[Run, Block], Curve | None] = _mean


CHARTS: ByKind[Charts] = ByKind("app.charts")
