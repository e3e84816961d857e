"""Users and their items: what is shared, what is known, and what a draw depends on."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.protocol import Episode
from engine.tasks.few_shot.personalization import Personalization


def users(family: Personalization, count: int) -> list[Episode]:
    return [family.sample(Rng(2).child(user), "test") for user in range(count)]


def tastes(family: Personalization, count: int) -> np.ndarray:
    """Solve for each user's preference from exact ratings; (user, feature)."""
    return np.stack(
        [np.linalg.lstsq(e.held_x.T, e.held_y)[0] for e in users(family, count)]
    )


def test_preferences_have_the_stated_covariance_and_rank() -> None:
    family = Personalization(features=4, rank=2, own=0.2)
    found = np.cov(tastes(family, 4000).T, bias=True)
    np.testing.assert_allclose(found, family.covariance(), atol=0.1)
    np.testing.assert_allclose(np.diag(family.covariance()), 1.0)
    alike = tastes(Personalization(features=6, rank=2, own=0.0), 40)
    assert np.linalg.matrix_rank(alike, tol=1e-3) == 2


def test_where_nothing_is_shared_the_best_answer_is_ridge_regression() -> None:
    family = Personalization(own=1.0, noise=0.5)
    for user in range(5):
        rng = Rng(7).child(user)
        episode = family.sample(rng, "test")
        # The prior N(0, I) and noise σ: a penalty of σ².
        model = Ridge(alpha=0.25, fit_intercept=False).fit(episode.x.T, episode.y)
        error = np.square(model.predict(episode.held_x.T) - episode.held_y).mean()
        assert family.best_error(rng, "test") == pytest.approx(error, rel=1e-4)


def test_as_many_exact_ratings_as_shared_factors_tell_a_preference() -> None:
    known = Personalization(rank=3, own=0.0, noise=0.0, shots=3)
    lacking = Personalization(rank=3, own=0.0, noise=0.0, shots=2)
    for user in range(5):
        rng = Rng(7).child(user)
        assert known.best_error(rng, "test") == pytest.approx(0.0, abs=1e-4)
        assert (lacking.best_error(rng, "test") or 0.0) > 1e-2


def test_the_best_error_is_what_the_posterior_expects_of_itself() -> None:
    family = Personalization(queries=100)
    errors, expected = [], []
    for user in range(300):
        rng = Rng(9).child(user)
        x = family.sample(rng, "test").x.astype(np.float64)
        prior = np.linalg.inv(family.covariance())
        expected.append(np.trace(np.linalg.inv(prior + x @ x.T / family.noise**2)))
        errors.append(family.best_error(rng, "test"))
    spread = np.std(np.subtract(errors, expected)) / 300**0.5
    assert abs(np.mean(errors) - np.mean(expected)) < 4 * spread
    assert spread < 0.1 * np.mean(expected)


def test_more_shots_leave_queries_and_first_shots_unchanged_and_noise_is_apart() -> (
    None
):
    few, many = Personalization(shots=3), Personalization(shots=7)
    for one, two in zip(users(few, 5), users(many, 5), strict=True):
        np.testing.assert_array_equal(one.held_x, two.held_x)
        np.testing.assert_array_equal(one.held_y, two.held_y)
        np.testing.assert_array_equal(one.x, two.x[:, :3])
        np.testing.assert_array_equal(one.y, two.y[:3])
    loud, exact = Personalization(noise=1.0), Personalization(noise=0.0)
    pairs = list(zip(users(loud, 400), users(exact, 400), strict=True))
    gaps = np.stack([one.y - two.y for one, two in pairs])
    assert gaps.std() == pytest.approx(1.0, abs=4 / (2 * gaps.size) ** 0.5)
    assert all(np.array_equal(one.held_y, two.held_y) for one, two in pairs)


def test_more_factors_than_features_are_refused() -> None:
    with pytest.raises(Refused, match="at most 4"):
        Personalization(features=4, rank=5).check()
