"""How a run is viewed: what differs between kinds of task, one file per kind."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from app.charts.view_state import ViewState
from app.client.client import Run
from engine.contract.events import Condition
from engine.contract.kinds import ByKind

Titles = Mapping[str, str]


class OwnResult(NamedTuple):
    """What a learner got here: as people call it, its part, and the number."""

    name: str
    part: str
    value: str


class KindView(NamedTuple):
    """How runs of a kind are viewed.

    Args:
        options: Draws the view options; returns the look.
        film: Draws what was recorded to be looked at.
        cost: Draws what the run took.
        table: Draws the table of scores.
        ours: Returns our numbers, to stand beside published ones.
        protocol: Returns how they were got, as far as it bears on a comparison.
    """

    draw_options: Callable[[Run, Condition], ViewState]
    draw_films: Callable[[Run], None]
    draw_cost: Callable[[Run, Titles], None]
    draw_table: Callable[[Run, Titles], None]
    own_results: Callable[[Run, Titles], Sequence[OwnResult]]
    protocol: Callable[[Run], dict[str, object]]


VIEWS: ByKind[KindView] = ByKind("app.views.run")
