"""What each kind of task records to be looked at, and which families can be."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.contract.blocks import Event
from engine.contract.kinds import FEW_SHOT, OPTIMIZATION, SEARCH
from engine.protocol import Family
from engine.runner.context import Bench, Trial
from engine.runner.films.few_shot import show
from engine.runner.films.optimization import film
from engine.runner.films.search import chart
from engine.runner.state import Carry


class Filmed(NamedTuple):
    """How tasks of a kind are filmed, and which families can be."""

    fits: Callable[[Family], bool]
    play: Callable[[Bench, Trial, str, Carry], Iterator[Event]]


FILMS = {
    OPTIMIZATION.name: Filmed(lambda family: family.plane, film),
    FEW_SHOT.name: Filmed(lambda family: True, show),
    SEARCH.name: Filmed(lambda family: True, chart),
}
