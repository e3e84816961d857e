"""What knowledge is worth on a published table, and what false knowledge is."""

import pytest

from engine.data.sources.locations import pack_home
from engine.data.sources.nasbench201 import FILE
from engine.stats.inference.comparison import compare_over_replicates
from tests.benchmarks.knowledge_checks import LEARNERS, PLAIN, rows_of, spec_of


@pytest.mark.pack
@pytest.mark.skipif(
    not (pack_home() / FILE).is_file(), reason="nasbench201.npz is not in the pack"
)
def test_a_warm_start_shortens_the_search_and_a_shuffled_source_does_not() -> None:
    chosen = [each for each in LEARNERS if each.get("label") != "gated"]
    rows = rows_of(spec_of(chosen, replicates=4, searches=16))
    gaps = {
        label: compare_over_replicates(
            rows[label, "evaluations_to_goal"], rows[PLAIN, "evaluations_to_goal"]
        ).mean_with_interval()
        for label in ("warm", "shuffled")
    }
    assert gaps["warm"].high < -20
    assert gaps["shuffled"].low < 0 < gaps["shuffled"].high
    assert gaps["warm"].mean < gaps["shuffled"].mean - 20
