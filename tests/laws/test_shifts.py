"""Laws of every shift, on the first family that it fits."""

import numpy as np
import pytest

from engine.bench import Bench, resolve
from engine.contract.registry import part
from engine.contract.runs import Choice
from engine.protocol import Shift
from tests.laws.small import families, learner_spec, names, rows

SHIFTS = names("shift")


def fitting(name: str) -> str:
    """Return the first family that a shift can be applied to."""
    shift = resolve("shift", Choice(name=name), Shift)
    order = ("mixtures", *families())
    fits = (f for f in order if not shift.unfit(Bench(learner_spec("sgd", f)).setting))
    return next(fits)


@pytest.mark.parametrize("name", SHIFTS)
def test_severity_0_is_the_clean_family_and_more_is_not(name: str) -> None:
    shift = part("shift", name)
    assert issubclass(shift, Shift)
    top = max(shift.severities)
    shifts = [{"name": name, "severities": [0.0, top]}]
    found = rows(learner_spec("sgd", fitting(name), shifts=shifts))
    clean = found["sgd", "test", "loss", "", "", 0.0]
    same = found["sgd", "test", "loss", "", name, 0.0]
    other = found["sgd", "test", "loss", "", name, top]
    np.testing.assert_array_equal(clean, same)
    assert clean.shape != other.shape or not np.array_equal(clean, other)


@pytest.mark.parametrize("name", SHIFTS)
def test_a_shift_says_why_it_does_not_fit_or_can_be_applied(name: str) -> None:
    part_of = part("shift", name)
    assert issubclass(part_of, Shift)
    shift = part_of()
    for family in families():
        setting = Bench(learner_spec("sgd", family)).setting
        if reason := shift.unfit(setting):
            assert len(reason.split()) > 2
            continue
        for severity in part_of.severities:
            shift.apply(setting, severity)


@pytest.mark.parametrize("name", SHIFTS)
def test_the_default_severities_lie_in_the_shifts_range(name: str) -> None:
    shift = part("shift", name)
    assert issubclass(shift, Shift)
    assert shift.severities
    assert all(0 < s <= shift.top for s in shift.severities)
    assert shift.unit or shift.switch
