"""Golden rows change only together with a part's version."""

import json

import numpy as np
import pytest

from tests.golden.rows import FILE, area, cases, fingerprint, version

RECORDED = json.loads(FILE.read_text())
CASES = cases()


def test_every_part_has_golden_rows() -> None:
    # Families whose data is absent here were recorded where it was present.
    assert set(CASES) <= set(RECORDED["rows"])


@pytest.mark.parametrize("name", sorted(CASES))
def test_rows_change_only_with_the_version(name: str) -> None:
    golden = RECORDED["rows"][name]
    assert version(name) == golden["version"], "record the rows of the new version"
    found = np.array(area(CASES[name]))
    if fingerprint() == RECORDED["fingerprint"]:
        np.testing.assert_array_equal(found, golden["area"])
    else:
        np.testing.assert_allclose(found, golden["area"], rtol=1e-4, atol=1e-4)
