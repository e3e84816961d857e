"""Golden rows change only together with a part's version."""

import numpy as np
import pytest

from engine.device import fingerprint
from tests.golden.rows import cases, find_orphans, recorded, values, version
from tests.same_machine import same_machine

MACHINES, ROWS = recorded()
CASES = cases()
# A bound wider than this would forgive a wrong formula: such a row is made shorter.
TELLING = 0.05


def remedy(name: str) -> str:
    """Say how the rows of a part are recorded."""
    return f"record them: python -m tests.golden.rows {name.split('/')[1]}"


def remedy_for_orphan(name: str) -> str:
    """Say how the rows of a part that is gone are dropped."""
    return f"drop them: python -m tests.golden.rows {name.split('/')[1]}"


def test_every_part_has_golden_rows() -> None:
    # Families whose data is absent here were recorded where it was present.
    lacking = set(CASES) - set(ROWS)
    assert not lacking, "; ".join(f"{n} has none; {remedy(n)}" for n in lacking)


def test_every_row_is_of_a_part() -> None:
    orphans = find_orphans(ROWS)
    told = "; ".join(f"{n} is of no part; {remedy_for_orphan(n)}" for n in orphans)
    assert not orphans, told
    assert find_orphans([*ROWS, "learner/gone"]) == ["learner/gone"]


@pytest.mark.parametrize("name", sorted(CASES))
def test_rows_change_only_with_the_version(name: str) -> None:
    golden = ROWS[name]
    changed = f"{name}: rows of a new version; {remedy(name)}"
    assert version(name) == golden.version, changed
    found = values(CASES[name])
    told = (
        f"numbers changed: `python -m tests.golden.rows {name.split('/')[1]}`; "
        "if others have run it, raise version first"
    )
    if same_machine(fingerprint("cpu"), MACHINES[golden.machine]):
        # A plain assert: its first line, which `check` shows, is the remedy.
        assert np.array_equal(found, golden.values, equal_nan=True), told
    else:
        diverged = np.isnan(found) & np.isnan(golden.values)
        apart = np.abs(found - golden.values) / np.array(golden.bound)
        apart = np.where(diverged, 0.0, apart)
        farthest = apart.max(initial=0.0)
        assert farthest <= 1, f"{told}: {farthest:.3g} times as far as rounding goes"


@pytest.mark.parametrize("name", sorted(ROWS))
def test_rounding_moves_a_row_too_little_to_hide_a_wrong_formula(name: str) -> None:
    golden = ROWS[name]
    size = np.abs(golden.values)
    telling = np.array(golden.bound) <= TELLING * size
    assert telling.mean() > 0.5
