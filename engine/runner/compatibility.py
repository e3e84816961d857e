"""Compatibility checks between a run's family, its shifts and its test families."""

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
    """Return why a shift does not apply to this kind of task; empty if it does."""
    kind, tasks = setting.family.kind, KINDS[setting.family.kind].words.tasks
    return "" if kind in shift.solves else f"it does not apply to {tasks}"


def check_family(family: Family) -> None:
    """Check a family's knobs, as a shift may have changed them.

    Raises:
        Refused: If one is outside its range, or some do not fit together.
    """
    complete_knobs(card_of(type(family)), family.model_dump(mode="json"))
    family.check()


def explain_family_mismatch(trained: Family, other: Family) -> str:
    """Return why learners trained on one family cannot be tested on another.

    Empty if they can.
    """
    if other.kind != trained.kind:
        drawn, asked = KINDS[other.kind].words.tasks, KINDS[trained.kind].words.tasks
        return f"it draws {drawn}, but this run needs {asked}"
    if not KINDS[trained.kind].fixed_examples:
        return ""
    known, asked = describe_example(trained), describe_example(other)
    if known == asked:
        return ""
    return f"its examples have {asked}; learners were trained on {known}"


def describe_example(family: Family, pool: str = "test") -> str:
    """Describe the size of a family's examples and the kind of output.

    Args:
        family: Draws them.
        pool: train, validation or test.

    Raises:
        Refused: If the family has no such pool.
    """
    assert isinstance(family, SampledFamily)
    sample = family.sample(Rng(0), pool)
    shape = sample.shape if isinstance(sample, Episode) else sample.x.shape[:1]
    size = " × ".join(str(side) for side in shape)
    return f"size {size} (output: {family.answer_kind()})"
