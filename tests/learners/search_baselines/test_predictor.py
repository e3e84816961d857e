"""The predictors against scikit-learn and SciPy; the search against a smooth hill."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm, poisson, spearmanr
from sklearn.linear_model import Ridge

from engine.algorithms.search.predictors import (
    bootstrap_counts,
    expected_improvement,
    fit_ensemble,
    normal_scores,
    predict_ensemble,
    rank_correlation,
)
from engine.learners.baseline.predictor_search import PredictorSearch
from engine.learners.baseline.random_search import RandomSearch
from tests.learners.search_baselines.searched import followed, searches
from tests.predictor_correlation import predictor_correlation

DRAW = np.random.default_rng(6)


@pytest.mark.parametrize("ridge", [0.1, 1.0, 30.0])
def test_each_predictor_is_scikit_learns_ridge_on_its_bag(ridge: float) -> None:
    x, y = DRAW.normal(size=(2, 30, 12)), DRAW.normal(size=(2, 30))
    counts = bootstrap_counts(DRAW.random((2, 3, 30)), np.ones((2, 30), bool))
    other = DRAW.normal(size=(2, 8, 12))
    found = predict_ensemble(fit_ensemble(x, y, counts, ridge), other)
    for member in range(2):
        for bag in range(3):
            model = Ridge(alpha=ridge).fit(x[member], y[member], counts[member, bag])
            expected = model.predict(other[member])
            np.testing.assert_allclose(found[member, bag], expected, atol=1e-9)


def test_bags_are_poisson_and_hold_only_what_is_known() -> None:
    known = np.arange(4000) % 2 == 0
    counts = bootstrap_counts(DRAW.random((5, 4000)), known)
    assert not counts[:, ~known].any()
    for k in range(4):
        share = (counts[:, known] == k).mean()
        assert share == pytest.approx(poisson.pmf(k, 1), abs=0.02)


def test_normal_scores_are_ranks_as_quantiles_and_know_no_scale() -> None:
    labels = np.array([0.1, np.nan, 0.9, 0.5, 0.5])
    known = np.isfinite(labels)
    found = normal_scores(labels, known)
    expected = norm.ppf([1 / 8, 0.5, 7 / 8, 0.5, 0.5])
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_array_equal(found, normal_scores(np.exp(9 * labels), known))


@pytest.mark.parametrize("mean", [-1.0, 0.2, 2.0])
def test_expected_improvement_equals_its_integral(mean: float) -> None:
    found = expected_improvement(np.array(mean), np.array(0.7), np.array(0.5))
    value, _ = quad(lambda f: (f - 0.5) * norm.pdf(f, mean, 0.7), 0.5, 12.0)
    assert float(found) == pytest.approx(value, rel=1e-6)


def test_rank_correlation_is_scipys_with_ties() -> None:
    one, two = DRAW.integers(0, 5, (4, 40)), DRAW.normal(size=(4, 40))
    found = rank_correlation(one, two)
    for row in range(4):
        assert found[row] == pytest.approx(spearmanr(one[row], two[row])[0])


def test_a_linear_target_is_learned_and_noise_is_not() -> None:
    x, weights = DRAW.normal(size=(300, 10)), DRAW.normal(size=10)
    uniform = DRAW.random((5, 100))
    y = x @ weights
    found = predictor_correlation(x[:100], y[:100], x[100:], y[100:], uniform)
    assert found > 0.99
    noise = DRAW.normal(size=300)
    found = predictor_correlation(x[:100], noise[:100], x[100:], noise[100:], uniform)
    assert abs(found) < 0.25


@pytest.mark.parametrize("acquisition", ["thompson", "ucb", "ei"])
def test_a_smooth_hill_is_found_long_before_random_search_finds_it(
    acquisition: str,
) -> None:
    tasks = searches(12, horizon=40, rugged=0, size=4)
    learner = PredictorSearch(acquisition=acquisition)  # type: ignore[arg-type]
    one, two = followed(learner, tasks), followed(RandomSearch(), tasks)
    np.testing.assert_array_equal(
        one["architecture"][:, :10], two["architecture"][:, :10]
    )
    assert one["regret"][:, -1].mean() < two["regret"][:, -1].mean() / 4


def test_nothing_is_trained_twice_while_candidates_are_new() -> None:
    found = followed(PredictorSearch(candidates=600), searches(6, horizon=50))
    for row in found["architecture"]:
        assert len(np.unique(row)) == 50


def test_failed_trainings_teach_the_predictor_to_stay_away() -> None:
    tasks = searches(12, horizon=60, size=4, failing=0.5)
    lost = np.isnan(followed(PredictorSearch(), tasks)["signal"])
    assert lost[:, -20:].mean() < lost[:, :10].mean() / 2
