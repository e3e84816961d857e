"""Test conditions: which of them are unshifted, and their display names."""

from engine.contract.events import Condition
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_spec import RunSpec
from engine.stats.family_names import family_title


def size_shifts(spec: RunSpec) -> frozenset[str]:
    """Return the shifts that only change a count of the family, such as shots or ways.

    Such a condition is named by its count: "5-shot".
    """
    knobs = spec.family.knobs.items()
    return frozenset(
        name
        for name, value in knobs
        # In Python a bool is an int.
        if isinstance(value, int) and not isinstance(value, bool)
    )


def is_unshifted(condition: Condition, spec: RunSpec) -> bool:
    """Return whether a shift changes nothing, so that its rows are in distribution."""
    own = spec.family.knobs.get(condition.shift)
    counted_there = condition.shift in size_shifts(spec) and own == condition.severity
    return bool(condition.shift) and (condition.severity == 0.0 or counted_there)


def describe_condition(condition: Condition, spec: RunSpec) -> str:
    """Return the display name of a condition.

    Args:
        condition: The condition.
        spec: The run; it tells families of one kind apart, and shifts that only change
            a count.

    >>> from engine.contract.run_spec import Choice, LearnerChoice
    >>> learners = (LearnerChoice(name="maml"),)
    >>> family = Choice(name="glyphs", knobs={"shots": 1})
    >>> run = RunSpec(family=family, learners=learners)
    >>> describe_condition(Condition(shift="more_noise", severity=2.0), run)
    'more noise 2'
    >>> describe_condition(Condition(shift="shots", severity=5.0), run)
    '5-shot'
    """
    if not condition.shift:
        at = condition.family
        return family_title(spec, at) if at else "in distribution"
    if condition.shift in size_shifts(spec):
        return f"{condition.severity:g}-{condition.shift.removesuffix('s')}"
    return f"{name_in_words(condition.shift)} {condition.severity:g}"
