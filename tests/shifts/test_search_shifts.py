"""What shifts of searches do, against the whole space listed."""

from typing import ClassVar

import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.learners.baseline.random_search import RandomSearch
from engine.protocol import SearchBatch, Setting, Shift
from engine.shifts.failing_regions import FailingRegions
from engine.shifts.objective_switch import ObjectiveSwitch
from engine.shifts.other_device import OtherDevice
from engine.shifts.parameter_cap import ParameterCap
from engine.shifts.shorter_search import ShorterSearch
from engine.shifts.smaller_space import SmallerSpace
from engine.tasks.search.nasbench201 import Nasbench201
from engine.tasks.search.nk_landscape import NkLandscape
from tests.learners.search_baselines.searched import drawn, followed
from tests.tasks.drawing import setting

HORIZON = 40
NK = NkLandscape(size=3, choices=4, rugged=1, blur=0.0)


class Priced(NkLandscape):
    """A landscape whose searches have a budget."""

    name: ClassVar[str] = "priced"
    limit: ClassVar[str] = "price"
    price: float = 180.0

    def budget(self) -> float:
        return self.price or float("inf")


def here(family: NkLandscape = NK) -> Setting:
    return setting(family, horizon=HORIZON)


def under(shift: Shift, severity: float, count: int = 4) -> SearchBatch:
    """Draw searches of the small landscape under a shift."""
    return drawn(shift.apply(here(), severity), count)


def sizes(tasks: SearchBatch) -> np.ndarray:
    """Return the capped property of every architecture, by its number."""
    return tasks.space.codes(np.arange(tasks.space.size)).sum(1)


def best_allowed(tasks: SearchBatch, member: int, limit: float) -> float:
    scores = tasks.evaluator.scores(int(tasks.task_index[member]))
    assert scores is not None
    return float(scores[sizes(tasks) <= limit].max())


def test_a_parameter_cap_forbids_what_is_above_the_share_from_the_start() -> None:
    tasks = under(ParameterCap(), 0.75)
    limit = np.quantile(sizes(tasks), 0.25)
    found = followed(RandomSearch(), tasks)
    allowed = sizes(tasks)[found["architecture"].astype(int)] <= limit
    for member in range(tasks.members):
        best = best_allowed(tasks, member, limit)
        seen = np.where(allowed[member], found["signal"][member], -np.inf)
        expected = np.maximum.accumulate(seen)
        first = allowed[member].argmax()
        score, regret = found["score"][member], found["regret"][member]
        assert np.isnan(score[:first]).all()
        np.testing.assert_allclose(score[first:], expected[first:], rtol=1e-6)
        np.testing.assert_allclose(regret[first:], best - score[first:], atol=1e-6)


@pytest.mark.parametrize("since", [0.25, 0.5])
def test_an_objective_switch_changes_nothing_before_it(since: float) -> None:
    shift, at = ObjectiveSwitch(since=since), round(since * HORIZON)
    clean = followed(RandomSearch(), drawn(here()))
    shifted = followed(RandomSearch(), under(shift, 0.75))
    for name in clean:
        np.testing.assert_array_equal(clean[name][:, :at], shifted[name][:, :at])
    assert (clean["score"][:, at] != shifted["score"][:, at]).any()


def test_after_an_objective_switch_the_answer_is_the_best_that_is_allowed() -> None:
    tasks = under(ObjectiveSwitch(), 0.75)
    limit = np.quantile(sizes(tasks), 0.25)
    found = followed(RandomSearch(), tasks)
    for member in range(tasks.members):
        tried = found["architecture"][member].astype(int)
        seen = np.where(sizes(tasks)[tried] <= limit, found["signal"][member], -np.inf)
        assert found["score"][member, -1] == pytest.approx(seen.max(), rel=1e-6)
        best = best_allowed(tasks, member, limit)
        assert found["regret"][member, -1] == pytest.approx(best - seen.max(), abs=1e-6)


def test_a_smaller_space_has_the_last_options_or_the_first_decisions() -> None:
    fewer = under(SmallerSpace(), 1.0)
    assert fewer.space.radix == (3, 3, 3)
    full = fewer.to_evaluator_codes(fewer.space.codes(np.arange(27)))
    assert full.min() == 1 and full.max() == 3
    assert under(SmallerSpace(), 9.0).space.radix == (2, 2, 2)
    shorter = under(SmallerSpace(what="decisions"), 1.0)
    assert shorter.space.size == 16
    assert (
        shorter.to_evaluator_codes(shorter.space.codes(np.arange(16)))[:, 2] == 3
    ).all()
    twice = SmallerSpace().apply(SmallerSpace().apply(here(), 1.0), 1.0)
    assert drawn(twice).space.radix == (2, 2, 2)


def test_a_space_that_cannot_be_smaller_says_so() -> None:
    smallest = setting(NK.model_copy(update={"options": 2}))
    assert "no options" in SmallerSpace().why_not(smallest)
    assert not SmallerSpace().why_not(here())


def test_regions_fail_as_a_whole_and_as_often_as_asked() -> None:
    tasks = under(FailingRegions(), 0.3, count=200)
    found = followed(RandomSearch(), tasks)
    failed = np.isnan(found["signal"])
    region = found["architecture"].astype(int) // 4
    shares = np.zeros((200, 16))
    for member in range(200):
        for pair in range(16):
            lost = failed[member, region[member] == pair]
            assert lost.all() or not lost.any()
            shares[member, pair] = lost.all() if len(lost) else 0.3
    # 3200 coins of 0.3: five standard deviations.
    assert abs(shares.mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 3200)
    assert (shares.std(0) > 0).all()
    # Whether options 0 and 1 fail together says nothing of options 1 and 0.
    assert abs(np.corrcoef(shares[:, 1], shares[:, 4])[0, 1]) < 5 / np.sqrt(200)


def test_where_everything_fails_nothing_is_found() -> None:
    found = followed(RandomSearch(), under(FailingRegions(), 1.0))
    assert np.isnan(found["signal"]).all() and np.isnan(found["score"]).all()


def test_a_shorter_search_is_the_beginning_of_the_longer_one() -> None:
    clean = followed(RandomSearch(), drawn(here()))
    cut = followed(RandomSearch(), under(ShorterSearch(), 0.75))
    for name in clean:
        assert cut[name].shape[1] == HORIZON // 4
        np.testing.assert_array_equal(clean[name][:, : HORIZON // 4], cut[name])


def test_a_shorter_search_may_spend_less_too() -> None:
    changed = ShorterSearch().apply(here(Priced()), 0.5)
    assert drawn(changed).budget == 90.0
    found = followed(RandomSearch(), drawn(changed))
    assert (np.isfinite(found["architecture"]).sum(1) == 90 // 9).all()
    free = ShorterSearch().apply(here(Priced(price=0.0)), 0.5)
    assert drawn(free).budget == float("inf")


def test_a_budget_for_just_one_training_is_enough() -> None:
    Priced(price=9.0).check()
    with pytest.raises(Refused, match="trains no architecture; the cheapest costs 9"):
        Priced(price=8.9).check()


def test_a_space_without_latencies_says_so() -> None:
    assert "no latency" in OtherDevice().why_not(here())


@pytest.mark.pack
@pytest.mark.parametrize("device", ["", "raspi4"])
def test_only_what_is_quick_on_the_device_is_an_answer(device: str) -> None:
    family = Nasbench201(epochs="200", seconds=0.0)
    if family.missing_file():
        pytest.skip(family.missing_file())
    changed = OtherDevice(device=device).apply(setting(family, HORIZON), 0.75)
    tasks = drawn(changed, count=8)
    name = tasks.objective.property
    assert name.endswith("latency") and device in name
    where = np.full(15_625, tasks.task_index[0])
    every = tasks.space.codes(np.arange(15_625))
    latency = tasks.evaluator.property(name, where, every)
    limit = np.quantile(latency[~np.isnan(latency)], 0.25)
    found = followed(RandomSearch(), tasks)
    scores = tasks.evaluator.scores(int(tasks.task_index[0]))
    assert scores is not None
    for member in range(8):
        tried = found["architecture"][member].astype(int)
        seen = np.where(latency[tried] <= limit, found["signal"][member], -1.0)
        answer = scores[tried[seen.argmax()]]
        assert found["score"][member, -1] == pytest.approx(answer, abs=1e-7)
    assert not OtherDevice(device=device).why_not(setting(family))
    assert "toaster" in OtherDevice(device="toaster").why_not(setting(family))
