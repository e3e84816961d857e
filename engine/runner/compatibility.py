"""What cannot be run together: shifts, families and their examples."""

from engine.contract.cards import card_of, complete_knobs
from engine.contract.kinds import KINDS
from engine.contract.rng import Rng
from engine.protocol import (
    Episode,
    Family,
    SampledFamily,
    Setting,
    Shift,
)


def explain_foreign_shift(shift: Shift, setting: Setting) -> str:
    """Say so where a shift is for another kind of tasks."""
    kind = setting.family.kind
    return "" if kind in shift.solves else f"it changes no {KINDS[kind].words.tasks}"


def check_family(family: Family) -> None:
    """Refuse knobs outside their ranges, or that do not fit together."""
    complete_knobs(card_of(type(family)), family.model_dump(mode="json"))
    family.check()


def explain_family_mismatch(trained: Family, other: Family) -> str:
    """Say why what was trained on one family cannot be asked about another."""
    if other.kind != trained.kind:
        drawn, asked = KINDS[other.kind].words.tasks, KINDS[trained.kind].words.tasks
        return f"it draws {drawn}, and this run is about {asked}"
    if not KINDS[trained.kind].fixed_examples:
        return ""
    known, asked = describe_example(trained), describe_example(other)
    if known == asked:
        return ""
    return f"its examples are {asked}; learners were trained on {known}"


def describe_example(family: Family, pool: str = "test") -> str:
    """Name the size of an example and the kind of answer.

    Raises:
        Refused: If the family has no such pool.
    """
    assert isinstance(family, SampledFamily)
    sample = family.sample(Rng(0), pool)
    shape = sample.shape if isinstance(sample, Episode) else sample.x.shape[:1]
    size = " × ".join(str(side) for side in shape)
    return f"{size} numbers, answered by {family.answer_kind()}"
