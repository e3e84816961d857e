import numpy as np
import pytest

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.tasks.few_shot.linear_regression import LinearRegression


def streams(count: int) -> list[Rng]:
    return [Rng(7).child(task) for task in range(count)]


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_targets_are_linear_and_have_variance_1_and_that_of_the_noise(
    noise: float,
) -> None:
    family = LinearRegression(noise=noise, dimensions=4, shots=40, queries=40)
    drawn = [family.sample(rng, "test") for rng in streams(400)]
    targets = np.array([[e.y, e.held_y] for e in drawn])
    assert np.square(targets).mean() == pytest.approx(1 + noise**2, rel=0.06)
    for episode in drawn[:5]:
        both = np.concatenate([episode.x, episode.held_x], 1).T.astype(float)
        y = np.concatenate([episode.y, episode.held_y])
        _, rest, *_ = np.linalg.lstsq(both, y, rcond=None)
        assert rest[0] / 76 == pytest.approx(noise**2, rel=0.5, abs=1e-9)


def test_more_shots_leave_the_first_ones_and_the_queries() -> None:
    few, many = LinearRegression(noise=0.3), LinearRegression(noise=0.3, shots=30)
    one, two = few.sample(Rng(1), "test"), many.sample(Rng(1), "test")
    np.testing.assert_array_equal(one.x, two.x[:, :10])
    np.testing.assert_array_equal(one.y, two.y[:10])
    np.testing.assert_array_equal(one.held_x, two.held_x)
    np.testing.assert_array_equal(one.held_y, two.held_y)


def test_online_episodes_ask_for_their_support() -> None:
    family = LinearRegression(online=True)
    episode = family.sample(Rng(1), "test")
    assert episode.online and not LinearRegression().sample(Rng(1), "test").online
    np.testing.assert_array_equal(episode.x, episode.held_x)
    np.testing.assert_array_equal(episode.y, episode.held_y)


def test_without_noise_the_best_error_is_0_from_d_examples_on() -> None:
    for shots in (5, 8):
        family = LinearRegression(dimensions=5, shots=shots)
        assert family.best_error(Rng(3), "test") == pytest.approx(0.0, abs=1e-8)
    assert LinearRegression(shots=4).best_error(Rng(3), "test") > 1e-3  # type: ignore[operator]


def test_with_fewer_examples_a_share_of_the_weights_is_unknown() -> None:
    # Without noise the weights are known in a random subspace of n of d dimensions.
    family = LinearRegression(dimensions=6, shots=2, queries=50)
    errors = [family.best_error(rng, "test") for rng in streams(400)]
    assert np.mean(errors) == pytest.approx(1 - 2 / 6, rel=0.08)


def test_the_best_error_is_that_of_the_posterior_mean() -> None:
    family = LinearRegression(dimensions=3, shots=4, noise=0.7)
    episode = family.sample(Rng(2), "test")
    # As a Gaussian process: covariances 1/d x·x′, and σ² of the noise.
    gram = episode.x.T @ episode.x / 3 + 0.49 * np.eye(4)
    mean = episode.held_x.T @ episode.x / 3 @ np.linalg.solve(gram, episode.y)
    expected = np.square(episode.held_y - mean).mean()
    assert family.best_error(Rng(2), "test") == pytest.approx(expected, rel=1e-5)


def test_online_the_best_error_is_the_mean_over_prefixes() -> None:
    family = LinearRegression(dimensions=3, shots=6, noise=0.7, online=True)
    episode = family.sample(Rng(2), "test")
    errors = []
    for seen in range(6):
        x, y = episode.x[:, :seen], episode.y[:seen]
        system = x @ x.T + 0.49 * 3 * np.eye(3)
        mean = np.linalg.solve(system, x @ y)
        errors.append((episode.y[seen] - mean @ episode.x[:, seen]) ** 2)
    expected = pytest.approx(np.mean(errors), rel=1e-5)
    assert family.best_error(Rng(2), "test") == expected


@pytest.mark.parametrize("knob", ["shots", "train_shots"])
def test_one_by_one_a_single_example_is_refused(knob: str) -> None:
    with pytest.raises(Refused, match="at least 2 shots") as refusal:
        LinearRegression(online=True, **{knob: 1}).check()
    assert refusal.value.field == knob
    LinearRegression(**{knob: 1}).check()
