"""The regression over source tasks, held against least squares over all trainings."""

import numpy as np

from engine.algorithms.search.encodings import one_hot_encoding
from engine.algorithms.search.knowledge.bayesian_regression import (
    NOISE,
    fit_posterior,
    predictor_features,
    standardize_features,
    update_posterior,
)
from engine.protocol import Space

SPACE = Space("toy", ("a", "b", "c"), (("x", "y", "z"),) * 3)


def test_the_posterior_is_least_squares_over_source_and_own_trainings() -> None:
    rng = np.random.default_rng(0)
    source, own = rng.normal(size=(30, 4)), rng.normal(size=(9, 4))
    far, near = rng.normal(size=30), rng.normal(size=9)
    trust, ridge = 0.3, 2.0
    belief = fit_posterior(source.T @ source, source.T @ far, trust, ridge)
    mean, cov = update_posterior(belief, own, near)
    # The offset of the own trainings is one more coefficient, without any penalty.
    rows = [
        np.column_stack([source * np.sqrt(trust / NOISE), np.zeros(30)]),
        np.column_stack([np.eye(4) * np.sqrt(ridge), np.zeros(4)]),
        np.column_stack([own, np.ones(9)]) / np.sqrt(NOISE),
    ]
    goal = [far * np.sqrt(trust / NOISE), np.zeros(4), near / np.sqrt(NOISE)]
    design = np.concatenate(rows)
    truth = np.linalg.lstsq(design, np.concatenate(goal), rcond=None)[0]
    np.testing.assert_allclose(mean, truth[:4], atol=1e-9)
    np.testing.assert_allclose(cov, np.linalg.inv(design.T @ design)[:4, :4], atol=1e-9)


def test_a_feature_in_which_sources_do_not_differ_is_left_out() -> None:
    features = np.array([[1.0, 5.0], [3.0, 5.0], [99.0, 7.0]])
    found = standardize_features(features, features[:2].mean(0), features[:2].std(0))
    np.testing.assert_allclose(found, [[-1.0, 0.0], [1.0, 0.0], [2.0, 0.0]])


def test_options_are_crossed_with_the_task() -> None:
    codes = SPACE.codes(np.arange(5))
    found = predictor_features(SPACE, codes, np.array([2.0, -1.0]))
    hot = one_hot_encoding(SPACE, codes)
    crossed = found[:, -18:].reshape(5, 9, 2)
    np.testing.assert_allclose(crossed[:, :, 0], 2 * hot)
    np.testing.assert_allclose(crossed[:, :, 1], -hot)
