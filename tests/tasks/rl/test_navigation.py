"""2-D navigation against closed forms and the published scale of its returns."""

import numpy as np
import pytest
import torch

from tests.tasks.rl.trials import always, returns, trials


def test_staying_at_the_origin_and_the_oracle_have_the_published_returns() -> None:
    tasks = trials("navigation", 400, 1)
    near = np.linalg.norm(tasks.parameters["goal"].numpy(), axis=1)
    stayed = always(tasks, 0.0, 0.0).reward.sum((1, 2))
    np.testing.assert_allclose(stayed, -100 * near, rtol=1e-5)
    # The mean distance in the square: (√2 + asinh 1) / 6; 100 steps cost 38.26.
    mean = (2**0.5 + np.arcsinh(1.0)) / 6
    assert float(stayed.mean()) == pytest.approx(-100 * mean, rel=0.05)
    # SCIENCE: an oracle earns −0.50 on average.
    assert expected_optimum() == pytest.approx(-0.50, abs=0.02)
    assert float(tasks.optimum.mean()) == pytest.approx(expected_optimum(), rel=0.1)
    torch.testing.assert_close(returns("oracle", tasks), tasks.optimum)


def expected_optimum() -> float:
    """Return the mean over goals of the sum of distances left, by midpoints."""
    middles = (np.arange(500) + 0.5) / 1000
    x, y = np.meshgrid(middles, middles)
    left = [
        np.hypot(np.maximum(x - 0.1 * t, 0), np.maximum(y - 0.1 * t, 0))
        for t in range(1, 6)
    ]
    return -float(np.sum(left, 0).mean())


def test_a_move_is_clipped_in_each_dimension() -> None:
    tasks = trials("navigation", 2, 1, steps=3)
    path = always(tasks, 5.0, -0.05).observation[:, 0]
    expected = torch.tensor([[0.0, 0.0], [0.1, -0.05], [0.2, -0.1]])
    torch.testing.assert_close(path, expected.expand(2, 3, 2))


def test_no_policy_of_a_random_search_beats_the_optimum() -> None:
    tasks = trials("navigation", 30, 20, steps=8)
    assert (returns("random_actions", tasks) <= tasks.optimum + 1e-5).all()


def test_a_sparse_reward_is_paid_near_the_goal_alone() -> None:
    tasks = trials("navigation", 100, 1, reward="sparse", steps=10)
    near = np.linalg.norm(tasks.parameters["goal"].numpy(), axis=1)
    stayed = always(tasks, 0.0, 0.0).reward.sum((1, 2)).numpy()
    np.testing.assert_allclose(stayed, 10 * np.maximum(0, 1 - near / 0.2), rtol=1e-4)
    assert 0 < (stayed > 0).sum() < 30
    torch.testing.assert_close(returns("oracle", tasks), tasks.optimum)


def test_goals_lie_in_the_square_or_outside_in_the_same_direction() -> None:
    inside = trials("navigation", 200, 1).parameters["goal"]
    assert 0.45 < float(inside.abs().max()) <= 0.5
    outside = trials("navigation", 200, 1, outside=1.0).parameters["goal"]
    assert float(outside.abs().amax(1).min()) >= 0.5
    assert 0.9 < float(outside.abs().max()) <= 1.0
    torch.testing.assert_close(
        torch.atan2(inside[:, 0], inside[:, 1]),
        torch.atan2(outside[:, 0], outside[:, 1]),
    )


def test_walking_away_is_the_worst_that_can_be() -> None:
    tasks = trials("navigation", 100, 1)
    for away in (-1.0, 1.0):
        worst = always(tasks, away, away).reward.sum(2)
        assert (worst >= tasks.environment.lowest).all()
