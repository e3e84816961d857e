"""What each kind of task records to be looked at, and which families can be."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.contract.blocks import Event
from engine.contract.kinds import ByKind
from engine.protocol import Family
from engine.runner.context import Bench, Trial
from engine.runner.state import Carry


def _every(family: Family) -> bool:
    return True


def _nothing(bench: Bench, event: Event, carry: Carry) -> None:
    """Note nothing: the first test tasks are filmed."""


class Filmed(NamedTuple):
    """How tasks of a kind are filmed.

    Args:
        play: Yields the film of one condition.
        fits: Whether a family can be filmed.
        remember: Notes of the tests what the film needs to know later.
    """

    play: Callable[[Bench, Trial, str, Carry], Iterator[Event]]
    fits: Callable[[Family], bool] = _every
    remember: Callable[[Bench, Event, Carry], None] = _nothing


FILMS: ByKind[Filmed] = ByKind("engine.runner.films")
