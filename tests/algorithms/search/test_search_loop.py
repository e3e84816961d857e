"""The loop of every search: what is trained, what it costs, and what is the answer."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.algorithms.search.search_log import SearchLog
from engine.algorithms.search.search_loop import run_search
from engine.protocol import (
    Evaluator,
    Measurement,
    Objective,
    Proposal,
    SearchBatch,
    Space,
)
from tests.tasks.drawing import streams

LINE = Space("line", ("place",), (tuple("abcdefgh"),))
PRICE = np.array([1.0, 1, 1, 4, 1, 1, 1, 1])
WORTH = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])


class Line(Evaluator):
    """Eight architectures in a line; the size of each is its place."""

    space, tasks = LINE, ("a", "b")
    fidelities, fidelity_unit, cost_unit = (1.0, 2.0), "passes", "passes"
    properties = {"size": "count"}  # noqa: RUF012

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.uniform: list[np.ndarray] = []

    def measure(
        self, which: Any, codes: Any, fidelity: Any, uniform: Any
    ) -> Measurement:
        at = codes[:, 0]
        self.asked.append(at.tolist())
        self.uniform.append(uniform)
        return Measurement(WORTH[at] * (0.5 + 0.5 * fidelity), WORTH[at], PRICE[at])

    def property(self, name: str, which: Any, codes: Any) -> Any:
        return codes[:, 0].astype(float)

    def scores(self, which: int) -> Any:
        return WORTH


def searches(members: int = 2, horizon: int = 10, **fields: Any) -> SearchBatch:
    """Return searches of the line."""
    which = np.zeros(members, np.int64)
    options = (tuple(range(8)),)
    rngs = tuple(streams(members))
    whole = SearchBatch(
        LINE, Line(), options, which, rngs, (0, 1), 1, horizon, full_fidelity=1
    )
    return replace(whole, **fields)


def told(tasks: SearchBatch, *plan: list[int]) -> dict[str, np.ndarray]:
    """Ask for what each step's plan says; return the traces, (member, step)."""
    log, rows = SearchLog.start(tasks), []
    for step, places in enumerate(plan):
        found, row = log.evaluate(Proposal(np.array(places)[:, None]), step)
        rows.append(found._asdict() | row)
    names = [name for name in rows[0] if name != "step"]
    return {name: np.stack([row[name] for row in rows], 1) for name in names}


def test_a_search_ends_with_the_first_training_that_it_cannot_pay_for() -> None:
    tasks = searches(budget=5.0)
    found = told(tasks, [0, 0], [1, 3], [3, 0], [2, 5], [2, 5])
    # 1 + 1, then 4 is too much; 1 + 4, then nothing is left.
    assert found["live"].tolist() == [[1, 1, 0, 0, 0], [1, 1, 0, 0, 0]]
    assert found["spent"][:, -1].tolist() == [2.0, 5.0]
    assert found["score"][:, -1].tolist() == [0.2, 0.4]
    assert np.isnan(found["signal"][:, 2:]).all()


def test_nothing_is_trained_for_a_search_that_is_over() -> None:
    tasks = searches(budget=5.0)
    told(tasks, [0, 0], [3, 1], [6, 1], [2, 5], [7, 5], [2, 6], [2, 7])
    assert isinstance(tasks.evaluator, Line)
    # The first could not pay at its third evaluation, the second at its sixth.
    expected = [[0, 0], [3, 1], [6, 1], [5], [5], [6]]
    assert tasks.evaluator.asked == expected


@pytest.mark.parametrize(("budget", "first"), [(np.inf, 5), (8.0, 2), (1e9, 5)])
def test_a_cap_comes_by_evaluations_or_by_the_budget_whichever_is_first(
    budget: float, first: int
) -> None:
    cap = Objective("size", np.array([2.0, 2.0]), 0.5)
    tasks = searches(1, budget=budget, objective=cap)
    # 5 of 8 are spent after two evaluations.
    found = told(tasks, [1], [3], [2], [7], [7], [7], [7])
    holds = np.arange(7) >= first
    assert (found["capped"][0] == holds).all()
    allowed = ~holds | (found["codes"][0, :, 0] <= 2)
    assert (found["value"][0] > -1).tolist() == (allowed & found["live"][0]).tolist()
    ceiling = np.where(holds, 0.3, 0.8)
    np.testing.assert_allclose(found["regret"][0], ceiling - found["score"][0])
    assert found["score"][0, -1] == 0.3, "the best that the cap allows"
    assert found["score"][0, first - 1] == (0.4 if first == 2 else 0.8)


def test_a_search_that_is_over_before_the_cap_is_judged_by_it_at_once() -> None:
    cap = Objective("size", np.array([2.0, 2.0]), 0.9)
    found = told(searches(1, budget=2.0, objective=cap), [1], [3], [4], [4])
    assert found["capped"].tolist() == [[0, 0, 1, 1]]


def test_a_cap_comes_at_the_last_evaluation_at_the_latest() -> None:
    cap = Objective("size", np.array([2.0, 2.0]), 0.99)
    found = told(searches(1, horizon=3, objective=cap), [7], [7], [7])
    assert found["capped"].tolist() == [[0, 0, 1]]


def test_the_highest_fidelity_is_the_answer_however_it_compares() -> None:
    log = SearchLog.start(searches(1))
    plan = [(7, 0), (0, 1), (6, 0), (1, 1), (0, 1)]
    scores = [
        log.evaluate(Proposal(np.array([[at]]), np.array([depth])), step)[1]["score"]
        for step, (at, depth) in enumerate(plan)
    ]
    assert np.ravel(scores).tolist() == [0.8, 0.1, 0.1, 0.2, 0.2]


class Alike(Line):
    """What a search sees of all is the same."""

    def measure(
        self, which: Any, codes: Any, fidelity: Any, uniform: Any
    ) -> Measurement:
        found = super().measure(which, codes, fidelity, uniform)
        return found._replace(signal=np.full(len(codes), 0.5))


def test_of_equals_the_first_stays_the_answer() -> None:
    found = told(searches(1, evaluator=Alike()), [2], [7], [0])
    assert found["score"].tolist() == [[0.3, 0.3, 0.3]]


def test_more_than_the_top_fidelity_is_not_trained() -> None:
    tasks = replace(searches(1), full_fidelity=0)
    found, _ = SearchLog.start(tasks).evaluate(
        Proposal(np.array([[7]]), np.array([1])), 0
    )
    assert found.fidelity.tolist() == [0]
    assert found.signal.tolist() == [0.4]


def test_a_training_that_noise_drowned_still_counts() -> None:
    tasks = searches(200, noise=5.0)
    found = told(tasks, [3] * 200)
    assert (found["signal"] < -1).any(), "else this shows nothing"
    assert (found["value"] > -1).all()
    assert (found["score"] == 0.4).all()


def test_noise_has_the_spread_that_is_asked_and_is_of_each_search_alone() -> None:
    tasks = searches(4000, noise=0.2)
    found = told(tasks, [3] * 4000, [3] * 4000)
    blur = found["signal"] - 0.4
    # Five standard errors, of the mean and of the spread.
    assert abs(blur.mean()) < 5 * 0.2 / np.sqrt(8000)
    assert abs(blur.std() - 0.2) < 5 * 0.2 / np.sqrt(16000)
    assert abs(np.corrcoef(blur.T)[0, 1]) < 5 / np.sqrt(4000)
    assert isinstance(tasks.evaluator, Line)
    seeds = tasks.evaluator.uniform[0]
    assert seeds.std() > 0.25, "uniform ones have 0.29"
    assert abs(np.corrcoef(blur[:, 0], seeds)[0, 1]) < 5 / np.sqrt(4000)


@pytest.mark.parametrize("place", [-1, 8])
def test_an_option_that_is_not_there_is_an_error_and_no_other_architecture(
    place: int,
) -> None:
    with pytest.raises(
        ValueError, match="proposed for 'place', which has options 0 to 7"
    ):
        told(searches(1), [place])


def test_evaluations_are_told_25_at_a_time_and_counted_from_one() -> None:
    steps = run_search(
        searches(2, horizon=30),
        0,
        lambda step, state: Proposal(np.full((2, 1), step % 8)),
        lambda state, told: (state + 1, {"policy": np.full((2, 1, 1), state)}),
        path=True,
    )
    found = list(steps)
    assert [piece.steps for piece in found] == [
        tuple(range(1, 26)),
        tuple(range(26, 31)),
    ]
    whole = np.concatenate([piece.traces["architecture"] for piece in found], 1)
    np.testing.assert_array_equal(whole, np.tile(np.arange(30) % 8, (2, 1)))
    kept = [piece.path for piece in found if piece.path is not None]
    policy = np.concatenate(kept, 1)
    np.testing.assert_array_equal(policy[:, :, 0, 0], np.tile(np.arange(30), (2, 1)))
