"""Both spreads, each held to what it promises."""

import numpy as np
import pytest
from scipy import stats

from engine.stats.inference.comparison import compare_over_tasks
from engine.stats.inference.episode_and_training_spread import compute_spread
from engine.stats.task_metrics.few_shot import summarize_episodes

SETS = 400


def _binomial(draw: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return accuracies of episodes that differ in how hard they are."""
    ease = draw.beta(9.0, 1.0, shape)
    return draw.binomial(75, ease) / 75


def test_the_papers_interval_is_their_formula() -> None:
    rows = _binomial(np.random.default_rng(0), (1, 600))
    assert compute_spread(rows).half == pytest.approx(
        1.959964 * rows.std(ddof=1) / 600**0.5
    )


def test_the_papers_interval_holds_the_truth_of_one_training() -> None:
    draw = np.random.default_rng(1)
    hits = 0
    for _ in range(SETS):
        found = compute_spread(_binomial(draw, (1, 600)))
        hits += abs(found.mean - 0.9) <= found.half
    low, high = stats.binom.interval(0.999, SETS, 0.95)
    assert low <= hits <= high


def test_the_papers_interval_misses_what_trainings_add() -> None:
    draw = np.random.default_rng(2)
    hits = {"episodes": 0, "trainings": 0}
    for _ in range(SETS):
        training = 0.02 * draw.standard_normal((5, 1))
        found = compute_spread(0.9 + training + 0.1 * draw.standard_normal((5, 600)))
        hits["episodes"] += abs(found.mean - 0.9) <= found.half
        hits["trainings"] += found.low <= 0.9 <= found.high
    low, high = stats.binom.interval(0.999, SETS, 0.95)
    assert low <= hits["trainings"] <= high
    assert hits["episodes"] < low


@pytest.mark.parametrize(("episodes", "sets"), [(40, 30), (600, SETS)])
def test_a_paired_interval_over_episodes_has_its_nominal_coverage(
    episodes: int, sets: int
) -> None:
    draw = np.random.default_rng(3)
    hits, false = 0, 0
    for _ in range(sets):
        ease = draw.beta(9.0, 1.0, (1, episodes))
        pair = [draw.binomial(75, ease * share) / 75 for share in (1.0, 0.98)]
        low, high = compare_over_tasks(*pair).interval(0.05)
        hits += low <= 0.018 <= high
        same = compare_over_tasks(draw.binomial(75, ease) / 75, pair[0])
        false += same.p() < 0.05
    low, high = stats.binom.interval(0.999, sets, 0.95)
    assert low <= hits
    assert hits <= high or episodes < 100  # never narrower than Student: more is fine
    assert false <= sets - low


def test_spread_between_trainings_is_that_of_their_means() -> None:
    rows = np.random.default_rng(5).normal(0, 1, (4, 100)) + np.arange(4.0)[:, None]
    found = compute_spread(rows)
    assert found.sd_trainings == pytest.approx(rows.mean(1).std(ddof=1))
    within = np.sqrt(rows.var(axis=1, ddof=1).mean())
    assert found.sd_episodes == pytest.approx(within)
    assert (found.trainings, found.episodes) == (4, 100)


def test_one_training_of_one_episode_has_a_mean_and_nothing_else() -> None:
    found = compute_spread(np.array([[0.5]]))
    assert found.mean == 0.5
    assert np.isnan([found.half, found.sd_episodes, found.sd_trainings]).all()


def test_a_missing_episode_is_left_out_of_mean_and_spread() -> None:
    found = compute_spread(np.array([[0.2, np.nan, 0.4]]))
    assert (found.mean, found.episodes) == (pytest.approx(0.3), 2)


def test_a_square_that_overflowed_has_diverged_and_leaves_a_gap() -> None:
    rows = summarize_episodes({"query_mse": np.array([[[np.inf, np.inf], [4, 1]]])}, 1)
    assert rows["diverged"].tolist() == [[1.0, 0.0]]
    assert rows["error"].tolist() == [[100.0, 1.0]]
    assert np.isnan(rows["final_mse"][0, 0]) and np.isnan(rows["adaptation_gain"][0, 0])


def test_it_is_the_answering_step_that_is_judged() -> None:
    accuracy = np.array([[[0.2, 0.6, 0.9]]])
    loss = np.array([[[2.0, 1.0, 0.5]]])
    rows = summarize_episodes({"query_accuracy": accuracy, "query_loss": loss}, 1)
    assert rows["error"].item() == pytest.approx(0.4)
    assert rows["start_accuracy"].item() == 0.2
    assert rows["adaptation_gain"].item() == 0.5
