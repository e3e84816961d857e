"""A severity, a family's data and its knobs are checked before anything is run."""

import pytest

from engine.catalogue import find_card
from engine.contract.errors import Refused
from engine.contract.registry import part
from engine.contract.run_keys import run_key
from engine.runner.context import RunContext
from engine.runner.spec_checks import check_run
from tests.laws.small import spec_of


@pytest.mark.parametrize("severity", [-0.5, 1.5])
def test_a_severity_outside_the_shifts_range_is_refused(severity: float) -> None:
    shifts = [{"name": "stretch"}, {"name": "label_noise", "severities": [0, severity]}]
    with pytest.raises(Refused, match=r"Label noise must be .* from 0 to 1") as refusal:
        spec_of(shifts=shifts)
    assert refusal.value.field == "shifts.1.severities"


def test_a_shift_named_without_severities_is_tested_at_its_declared_ones() -> None:
    declared = part("shift", "stretch").severities  # type: ignore[attr-defined]
    named = spec_of(shifts=[{"name": "stretch"}])
    assert named.shifts[0].severities == declared
    said = spec_of(shifts=[{"name": "stretch", "severities": list(declared)}])
    assert run_key(named, find_card) == run_key(said, find_card)
    tested, _ = RunContext(named).test_conditions()
    assert [t.condition.severity for t in tested] == [0.0, *declared]


def test_a_shift_that_leaves_the_base_learners_range_is_refused_at_the_start() -> None:
    spec = spec_of(shifts=[{"name": "wider", "severities": [9]}])
    with pytest.raises(Refused, match="Width must be"):
        RunContext(spec).test_conditions()


def test_families_are_checked_before_a_run() -> None:
    asked = {"name": "wine", "knobs": {"examples": 500}}
    with pytest.raises(Refused, match="at most") as refusal:
        check_run(RunContext(spec_of(family=asked)))
    assert refusal.value.field == "family.examples"
    other = {"name": "own_data", "knobs": {"digest": "a" * 64, "target": "y"}}
    with pytest.raises(Refused, match="needs the file with sha256") as refusal:
        check_run(RunContext(spec_of(test_families=[asked | {"knobs": {}}, other])))
    assert refusal.value.field == "test_families.1.digest"
