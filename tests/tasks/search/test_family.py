"""What families of spaces share: budgets, caps, failures, and the regret of a table."""

import os
from pathlib import Path

import numpy as np
import pytest

from engine.algorithms.search.best_possible_scores import (
    best_possible_scores,
    known_scores,
)
from engine.algorithms.search.search_log import SearchLog
from engine.contract.errors import Refused
from engine.protocol import Proposal, SearchBatch
from engine.runner.context import RunContext
from engine.tasks.search.nk_landscape import NkLandscape
from tests.laws.small import knobbed

PACK = Path(os.environ.get("METASCOPE_DATA", "")) / "nasbench201.npz"


def drawn(knobs: dict[str, object], tasks: int = 3, horizon: int = 6) -> SearchBatch:
    """Draw test searches of NK landscapes with some knobs turned."""
    context = RunContext(knobbed("nk_landscape", knobs, budget={"horizon": horizon}))
    found = context.draw(context.setting, "test", ("test", 0), tasks)
    assert isinstance(found, SearchBatch)
    return found


def asked(tasks: SearchBatch, *indices: int) -> Proposal:
    """Ask every search for the architecture of that number."""
    return Proposal(tasks.space.codes(np.array(indices)))


def test_the_ceiling_is_the_best_score_of_the_task_by_enumeration() -> None:
    tasks = drawn({"size": 3, "choices": 3})
    for member, which in enumerate(tasks.task_index):
        codes = tasks.space.codes(np.arange(27))
        every = tasks.evaluator.measure(
            np.full(27, which), codes, np.full(27, 2), np.zeros(27)
        )
        assert best_possible_scores(tasks, capped=False)[member] == every.score.max()


def test_a_cap_leaves_only_what_is_below_it() -> None:
    tasks = drawn({"size": 3, "choices": 3, "cap": 0.5})
    cap = tasks.objective.cap
    assert cap is not None
    which = int(tasks.task_index[0])
    codes = tasks.space.codes(np.arange(27))
    small = codes.sum(1) <= cap[which]
    assert 0 < small.sum() < 27
    table = tasks.evaluator.scores(which)
    assert table is not None
    found = known_scores(tasks, which, capped=True)
    assert found is not None
    np.testing.assert_array_equal(np.sort(found), np.sort(table[small]))


def test_an_incumbent_above_the_cap_is_given_up_when_the_cap_comes() -> None:
    tasks = drawn({"size": 3, "choices": 3, "cap": 0.4, "cap_since": 0.5})
    log = SearchLog.start(tasks)
    table = np.stack([tasks.evaluator.scores(int(w)) for w in tasks.task_index])
    large = tasks.space.codes(np.arange(27)).sum(1)
    small_best = np.where(large <= 2, table, -1).argmax(1)
    large_best = np.where(large >= 5, table, -1).argmax(1)
    plan = [small_best, large_best, large_best, large_best, large_best, large_best]
    rows = [
        log.evaluate(Proposal(tasks.space.codes(index)), step)
        for step, index in enumerate(plan)
    ]
    told, row = rows[-1]
    assert (told.value == -1).all(), "what exceeds the cap is worth nothing"
    members = np.arange(len(small_best))
    np.testing.assert_allclose(row["score"], table[members, small_best], atol=1e-6)
    assert rows[2][0].value.min() > -1, "before the switch it counted"


def test_an_architecture_beyond_the_budget_is_not_trained() -> None:
    tasks = drawn({}, horizon=6)
    from dataclasses import replace

    log = SearchLog.start(replace(tasks, budget=27.0))  # three trainings of nine passes
    live = [log.evaluate(asked(tasks, *[i] * 6), i)[0].live.all() for i in range(5)]
    assert live == [True, True, True, False, False]
    assert log.spent.tolist() == [27.0] * 6


def test_every_training_fails_where_all_regions_do() -> None:
    tasks = drawn({"failing": 1.0})
    told, row = SearchLog.start(tasks).evaluate(asked(tasks, 1, 2, 3, 4, 5, 6), 0)
    assert np.isnan(told.signal).all() and (told.value == -1).all()
    assert np.isnan(row["score"]).all()
    np.testing.assert_array_equal(
        row["regret"], best_possible_scores(tasks, capped=False)
    )


def test_a_property_that_the_space_lacks_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="no property 'latency'; it has: parameters"):
        NkLandscape(cap=0.5, capped="latency").check()


@pytest.mark.pack
@pytest.mark.skipif(not PACK.is_file(), reason="nasbench201.npz is not in the pack")
def test_nasbench201_has_the_published_size_and_optimum() -> None:
    from engine.data.sources.nasbench201 import load_nasbench201

    table = load_nasbench201()
    assert table.count == 5**6 and (table.rows >= 0).all()
    best = 100 * table.score.max(0)
    np.testing.assert_allclose(best, [94.37, 73.51, 47.31], atol=0.01)
    twelve = 100 * np.nanmax(table.signal[:, :, 1, 0], 0)
    np.testing.assert_allclose(twelve, [91.61, 73.49, 46.73], atol=0.01)


@pytest.mark.pack
@pytest.mark.skipif(not PACK.is_file(), reason="nasbench201.npz is not in the pack")
def test_a_budget_below_one_training_is_refused_with_the_cheapest() -> None:
    from engine.tasks.search.nasbench201 import Nasbench201

    with pytest.raises(Refused, match="trains no architecture; the cheapest costs"):
        Nasbench201(seconds=1.0).check()
