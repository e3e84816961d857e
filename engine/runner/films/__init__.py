"""Films: what each kind of task records for animations, and of which families."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.contract.events import Event
from engine.contract.kinds import ByKind
from engine.protocol import Family
from engine.runner.context import MetaTestCondition, RunContext
from engine.runner.state import RunState


def _every(family: Family) -> bool:
    return True


def _record_nothing(context: RunContext, event: Event, state: RunState) -> None:
    """Do nothing: the first test tasks are filmed."""


class FilmRecorder(NamedTuple):
    """How tasks of a kind are filmed.

    Args:
        record: Yields the film of one condition, given its name.
        can_film: Whether a family's tasks can be drawn.
        remember: Keeps in the run's state what the film needs of the test's events.
    """

    record: Callable[[RunContext, MetaTestCondition, str, RunState], Iterator[Event]]
    can_film: Callable[[Family], bool] = _every
    remember: Callable[[RunContext, Event, RunState], None] = _record_nothing


FILM_RECORDERS: ByKind[FilmRecorder] = ByKind("engine.runner.films")
