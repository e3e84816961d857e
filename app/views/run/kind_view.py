"""What the view of a run must provide for each kind of task, one file per kind."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from app.charts.chart_options import ViewState
from app.client.client import Run
from engine.contract.events import Condition
from engine.contract.kinds import ByKind

Titles = Mapping[str, str]


class OwnResult(NamedTuple):
    """A learner's result in this run.

    Args:
        name: Its display name.
        part: The part.
        value: The number as text.
        presentation: The presentation of a class that it is about; 0 for all.
    """

    name: str
    part: str
    value: str
    presentation: int = 0


class KindView(NamedTuple):
    """How runs of a kind are viewed.

    Args:
        draw_options: Draws the view options; returns the view state.
        draw_film: Draws the recorded animation that stands beside the main chart.
        draw_cost: Draws what the run cost.
        draw_table: Draws the table of scores.
        own_results: Returns this run's results, to compare with published ones.
        protocol: Returns this run's protocol, as far as it matters for that.
        space_views: Modules of the views of the searched space, by title; none where
            nothing is searched.
    """

    draw_options: Callable[[Run, Condition], ViewState]
    draw_film: Callable[[Run], None]
    draw_cost: Callable[[Run, Titles], None]
    draw_table: Callable[[Run, Titles], None]
    own_results: Callable[[Run, Titles], Sequence[OwnResult]]
    protocol: Callable[[Run], dict[str, object]]
    space_views: Mapping[str, str] = MappingProxyType({})


VIEWS: ByKind[KindView] = ByKind("app.views.run")
