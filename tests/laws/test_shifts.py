"""Laws of every shift, on the first family of each kind that it fits."""

from functools import cache

import numpy as np
import pytest

from engine.bench import Bench, resolve
from engine.contract.registry import part
from engine.contract.runs import Choice, RunSpec
from engine.protocol import Shift
from tests.laws.small import PLAIN, TINY, families, family_spec, knobbed, names, rows

SHIFTS = names("shift")
# What some shifts need of a family, tried in turn where the family has such a knob.
NEEDS = (
    {},
    {"shots": 4, "queries": 3},
    {"drawers": "first_half", "queries": 3},
    {"split": "mixed"},
)


def kinds_of(name: str) -> tuple[str, ...]:
    """Return the kinds of tasks that a shift says it changes."""
    kinds = part("shift", name).solves
    assert kinds <= set(TINY)
    return tuple(sorted(kinds))


CASES = [(name, kind) for name in SHIFTS for kind in kinds_of(name)]


@cache
def fitting(name: str, kind: str) -> RunSpec:
    """Return a tiny run on the first family of a kind that a shift can change."""
    shift = resolve("shift", Choice(name=name), Shift)
    for family in (*TINY[kind].families, *families(kind)):
        for needed in NEEDS:
            if not needed.keys() <= part("family", family).model_fields.keys():
                continue
            spec = knobbed(family, needed)
            if not shift.unfit(Bench(spec).setting):
                return spec
    pytest.skip(f"no family that is here has what {name} changes")


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_severity_0_is_the_clean_family_and_more_is_not(name: str, kind: str) -> None:
    shift = part("shift", name)
    assert issubclass(shift, Shift)
    top = max(shift.severities)
    spec = fitting(name, kind)
    asked = [{"name": name, "severities": [0.0, top]}]
    found = rows(knobbed(spec.family.name, spec.family.knobs, shifts=asked))
    metric, learner = TINY[kind].metrics[0], PLAIN[kind]
    clean, same = (found[learner, "test", metric, "", s, 0.0] for s in ("", name))
    np.testing.assert_array_equal(clean, same)
    other = found[learner, "test", metric, "", name, top]
    assert clean.shape != other.shape or not np.array_equal(clean, other)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_shift_says_why_it_does_not_fit_or_can_be_applied(
    name: str, kind: str
) -> None:
    part_of = part("shift", name)
    assert issubclass(part_of, Shift)
    shift = part_of()
    for family in families(kind):
        setting = Bench(family_spec(family)).setting
        if reason := shift.unfit(setting):
            assert len(reason.split()) > 2
            continue
        for severity in part_of.severities:
            shift.apply(setting, severity)


@pytest.mark.parametrize("name", SHIFTS)
def test_a_shift_of_another_kind_is_a_remark_and_the_run_goes_on(name: str) -> None:
    others = set(TINY) - set(kinds_of(name))
    for kind in others:
        spec = family_spec(TINY[kind].families[0], shifts=[{"name": name}])
        trials, remarks = Bench(spec).trials()
        assert len(trials) == 1
        assert kind in remarks[f"shift:{name}"]


@pytest.mark.parametrize("name", SHIFTS)
def test_the_default_severities_lie_in_the_shifts_range(name: str) -> None:
    shift = part("shift", name)
    assert issubclass(shift, Shift)
    assert shift.severities
    assert all(0 < s <= shift.top for s in shift.severities)
    assert shift.unit or shift.switch
