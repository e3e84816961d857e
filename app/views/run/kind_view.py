"""How a run is viewed: what differs between kinds of task, one file per kind."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from app.charts.view_state import Look
from app.client.client import Run
from engine.contract.blocks import Condition
from engine.contract.kinds import ByKind

Titles = Mapping[str, str]


class Ours(NamedTuple):
    """What a learner got here: as people call it, its part, and the number."""

    name: str
    part: str
    told: str


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

    options: Callable[[Run, Condition], Look]
    film: Callable[[Run], None]
    cost: Callable[[Run, Titles], None]
    table: Callable[[Run, Titles], None]
    ours: Callable[[Run, Titles], Sequence[Ours]]
    protocol: Callable[[Run], dict[str, object]]


VIEWS: ByKind[KindView] = ByKind("app.views.run")
