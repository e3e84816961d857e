"""Charts: pure functions from a run to figures, one file per kind of task."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from app.charts.chart_options import NamedFigure, ResponsiveFigure, ViewState
from app.client.client import Run
from app.figures.curves import HOW_TO_READ
from engine.contract.events import Block
from engine.contract.kinds import ByKind
from engine.stats import curves
from engine.stats.curves import Curve


def _mean_line(run: Run, block: Block, capped: bool) -> Curve | None:
    """Return a metric's mean over the test tasks with its band."""
    return curves.make_curve(block, capped=capped)


class KindCharts(NamedTuple):
    """The charts of a kind of task.

    Args:
        main_charts: Yields the main charts of a run.
        metrics: All that main charts are made of, where a run has them.
        films: Yields the recorded films, as they are first shown.
        how_to_read: The caption above the main charts, once there are tests.
        line: Turns one learner's tests into a curve, to compare with other runs; the
            flag says whether diverged tasks count as the worst value.
        spent: The unit of cost, and the title of its axis.
        space_charts: Yields the charts of the searched space; None where nothing is
            searched.
    """

    main_charts: Callable[[Run, ViewState], Iterator[NamedFigure]]
    metrics: tuple[str, ...]
    films: Callable[[Run], Iterator[ResponsiveFigure]]
    how_to_read: str = HOW_TO_READ
    line: Callable[[Run, Block, bool], Curve | None] = _mean_line
    spent: tuple[str, str] = ("Gradients", "Gradient evaluations")
    space_charts: Callable[[Run], Iterator[ResponsiveFigure]] | None = None


CHARTS: ByKind[KindCharts] = ByKind("app.charts")
