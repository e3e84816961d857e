"""Laws of every shift, on the first family of each kind that it fits."""

from functools import cache
from typing import Any

import numpy as np
import pytest

from engine.contract.kinds import KINDS
from engine.contract.registry import part
from engine.contract.run_spec import Choice, RunSpec
from engine.protocol import Family, Shift
from engine.runner.context import RunContext, build_part
from tests.laws.small import (
    PLAIN,
    TINY,
    assert_same,
    brief_episodes,
    families,
    family_spec,
    knobbed,
    names,
    rows,
)

SHIFTS = names("shift")
# What some shifts need of a family, tried in turn where the family has such a knob.
NEEDS = ({}, {"shots": 4}, {"drawers": "first_half"}, {"split": "mixed"})
SMALL = {"queries": 3, "side": "14", "presentations": 10}


def kinds_of(name: str) -> tuple[str, ...]:
    """Return the kinds of tasks that a shift says it changes."""
    kinds = part("shift", name).solves
    assert kinds <= set(TINY)
    return tuple(sorted(kinds))


CASES = [(name, kind) for name in SHIFTS for kind in kinds_of(name)]
FOREIGN = [(n, kind) for n in SHIFTS for kind in TINY if kind not in kinds_of(n)]


def small(family: str, kind: str, knobs: dict[str, Any], **fields: Any) -> RunSpec:
    """Return a tiny run with the smallest net, on small images where there are any."""
    fewer = {n: v for n, v in SMALL.items() if n in part("family", family).model_fields}
    fewer |= brief_episodes(family)
    net = {"name": "mlp", "knobs": TINY[kind].net}
    learners = [{"name": name} for name in learners_for(family, kind)]
    return knobbed(family, fewer | knobs, net=net, learners=learners, **fields)


def learners_for(family: str, kind: str) -> tuple[str, ...]:
    """Return the plainest learner of a kind, and one that any shift can be asked."""
    made = part("family", family)
    assert issubclass(made, Family)
    more = {"few_shot": {"classes": "protonet"}, "rl": {"states": "psrl"}}
    also = more.get(kind, {}).get(made.output)
    return (PLAIN[kind], also) if also else (PLAIN[kind],)


@cache
def fitting(name: str, kind: str) -> RunSpec:
    """Return a tiny run on the first family of a kind that a shift can change."""
    shift = build_part("shift", Choice(name=name), Shift)
    for family in (*TINY[kind].families, *families(kind)):
        for needed in NEEDS:
            if not needed.keys() <= part("family", family).model_fields.keys():
                continue
            spec = small(family, kind, needed)
            if not shift.why_not(RunContext(spec).setting):
                return spec
    pytest.skip(f"no family that is here has what {name} changes")


def measured(
    found: dict[object, np.ndarray], shift: str, severity: float
) -> dict[object, np.ndarray]:
    """Return what was measured under one severity, by learner and metric."""
    where = ("", shift, severity)
    return {
        (key[0], key[2], *key[6:]): array
        for key, array in found.items()
        if isinstance(key, tuple) and key[1:2] == ("test",) and key[3:6] == where
    }


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_severity_0_is_the_clean_family_and_more_is_not(name: str, kind: str) -> None:
    shift = part("shift", name)
    assert issubclass(shift, Shift)
    ends = sorted({min(shift.severities), max(shift.severities)})
    spec = fitting(name, kind)
    asked = [{"name": name, "severities": [0.0, *ends]}]
    found = rows(small(spec.family.name, kind, spec.family.knobs, shifts=asked))
    clean = measured(found, "", 0.0)
    same = measured(found, name, 0.0)
    # In distribution some more is asked, such as what would be answered one by one.
    assert_same({key: clean[key] for key in same}, same)
    assert same
    others = [measured(found, name, severity) for severity in ends]
    assert any(
        key in clean and not np.array_equal(array, clean[key])
        for other in others
        for key, array in other.items()
    )


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_a_shift_says_why_it_does_not_fit_or_can_be_applied(
    name: str, kind: str
) -> None:
    part_of = part("shift", name)
    assert issubclass(part_of, Shift)
    assert part_of.severities
    shift = part_of()
    plain = [RunContext(small(family, kind, {})).setting for family in families(kind)]
    settings = [*plain, RunContext(fitting(name, kind)).setting]
    reasons = [shift.why_not(setting) for setting in settings]
    assert None in reasons, "it fits nothing"
    for setting, reason in zip(settings, reasons, strict=True):
        if reason:
            assert len(reason.split()) > 2
            continue
        each = [shift.apply(setting, severity) for severity in part_of.severities]
        assert any((s, s.warps) != (setting, setting.warps) for s in each)


@pytest.mark.parametrize(("name", "kind"), FOREIGN)
def test_a_shift_of_another_kind_is_a_remark_and_the_run_continues(
    name: str, kind: str
) -> None:
    spec = family_spec(TINY[kind].families[0], shifts=[{"name": name}])
    trials, remarks = RunContext(spec).test_conditions()
    assert len(trials) == 1
    assert KINDS[kind].words.tasks in remarks[f"shift:{name}"]


@pytest.mark.parametrize("name", SHIFTS)
def test_the_default_severities_lie_in_the_shifts_range(name: str) -> None:
    shift = part("shift", name)
    assert issubclass(shift, Shift)
    assert shift.severities
    assert all(0 < s <= shift.top for s in shift.severities)
    assert shift.unit or shift.switch
