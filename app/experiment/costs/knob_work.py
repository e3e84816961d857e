"""How much work a part's knobs make: its steps, and how large each step is.

What a knob does to the time is a field of its card (`KnobCard.work`), so that parts of
the user's own are counted like shipped ones.
"""

import math
from collections.abc import Iterable
from typing import Literal, NamedTuple

from app.client import client
from engine.contract.cards import Card
from engine.contract.knobs import KnobCard
from engine.contract.run_spec import Choice

Phase = Literal["train", "test"]


class PartWork(NamedTuple):
    """Work of a part in one adaptation.

    Args:
        added: Steps that it adds, such as inner steps; 0 for a metric learner.
        passes: How often each step is repeated, such as by layers or epochs.
        size: Size of a step, relative to the part's defaults.
    """

    added: float
    passes: float
    size: float

    @property
    def steps(self) -> float:
        """Return all steps that follow each other: one, and those that it adds."""
        return (1.0 + self.added) * self.passes


def find_card(slot: str, name: str) -> Card | None:
    """Return a part's card; None for a part that is not installed."""
    return client.catalogue().cards.get((slot, name))


def part_work(slot: str, choice: Choice, phase: Phase = "train") -> PartWork:
    """Return the work of a part.

    Args:
        slot: Its slot, such as "learner".
        choice: Its name and knobs; a knob that is not given has its default.
        phase: Whether it is trained or tested.
    """
    card = find_card(slot, choice.name)
    if card is None:
        return PartWork(0.0, 1.0, 1.0)
    steps, passes = _sum_steps(card, choice, phase), ("passes", f"{phase}_passes")
    size = math.prod(
        _ratio(knob, choice) ** (2 if knob.work == "area" else 1)
        for knob in card.knobs
        if knob.work in ("size", "area")
    )
    repeated = math.prod(
        1 + _number(knob, choice) for knob in card.knobs if knob.work in passes
    )
    rows = [knob for knob in card.knobs if knob.work == "rows"]
    if rows:
        usual = sum(float(knob.default) for knob in rows)
        size *= sum(_number(knob, choice) for knob in rows) / usual
    return PartWork(steps, repeated, size)


def find_number(slot: str, choice: Choice, work: str, missing: float) -> float:
    """Return the product of a part's knobs that do this to the time.

    Args:
        slot: The part's slot.
        choice: Its name and knobs.
        work: As in `KnobCard.work`.
        missing: Returned if it has no such knob.
    """
    card = find_card(slot, choice.name)
    knobs = [k for k in card.knobs if k.work == work] if card else []
    return math.prod(_number(k, choice) for k in knobs) if knobs else missing


def _sum_steps(card: Card, choice: Choice, phase: Phase) -> float:
    """Return the steps of a phase; 0 steps at test mean as many as in training."""
    steps = _sum_numbers(card, choice, ("steps",))
    if phase == "train":
        return steps + _sum_numbers(card, choice, ("train_steps",))
    return _sum_numbers(card, choice, ("test_steps",)) or steps


def _sum_numbers(card: Card, choice: Choice, works: Iterable[str]) -> float:
    return sum(_number(knob, choice) for knob in card.knobs if knob.work in works)


def _ratio(knob: KnobCard, choice: Choice) -> float:
    """Return a value relative to the default; what is not there is as small as 1."""
    return max(1.0, _number(knob, choice)) / max(1.0, float(knob.default))


def _number(knob: KnobCard, choice: Choice) -> float:
    # A choice between numbers, such as the side of an image, is a text.
    return float(choice.knobs.get(knob.name, knob.default))
