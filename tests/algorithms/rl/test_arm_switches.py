"""How often pulls change the arm, by strategies whose answer is known."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.algorithms.rl.rollouts import Decision, Rollout, Seen, play_trial
from engine.algorithms.rl.trial_traces import segments
from engine.contract.events import Block
from engine.protocol import TrialBatch, Weights
from engine.stats.curves import make_curve
from engine.stats.task_metrics.rl import summarize_trials
from tests.tasks.rl.trials import learner, trials

ARMS = 4


class StayOrShift:
    """Stays after a win, and takes the next arm after a loss."""

    def start(self, members: int, lanes: int) -> Weights:
        return {}

    def act(self, memory: Weights, seen: Seen, noise: Tensor) -> Decision:
        arm = seen.action.argmax(-1)
        lost = (seen.reward <= 0).long()
        return Decision((arm + lost) % ARMS, memory, torch.zeros_like(seen.reward))


def traces(tasks: TrialBatch, parts: Iterator[Rollout]) -> dict[str, np.ndarray]:
    """Return the traces of whole trials, played in parts; (task, pull) each."""
    found = [segment.traces for segment in segments(tasks, parts)]
    return {name: torch.cat([f[name] for f in found], 1).numpy() for name in found[0]}


@pytest.mark.parametrize("family", ["bernoulli_bandit", "gaussian_bandit"])
def test_win_stay_lose_shift_changes_the_arm_after_losses_alone(family: str) -> None:
    tasks = trials(family, 20, 12, arms=ARMS)
    found = traces(tasks, iter([play_trial(tasks, StayOrShift())]))
    lost, won = found["switch_after_loss"], found["switch_after_win"]
    assert np.nanmin(lost) == 1 and np.nanmax(won) == 0
    # Every pull but the first one follows a loss or a win, and never both.
    assert np.isnan(lost[:, 0]).all() and np.isnan(won[:, 0]).all()
    assert (np.isnan(lost[:, 1:]) ^ np.isnan(won[:, 1:])).all()
    assert (np.isfinite(lost[:, 1:]) == (found["episode_return"][:, :-1] <= 0)).all()


def test_random_pulls_change_the_arm_as_often_as_chance_says() -> None:
    tasks = trials("bernoulli_bandit", 300, 20, arms=ARMS)
    found = traces(tasks, learner("random_actions").play({}, tasks))
    for name in ("switch_after_loss", "switch_after_win"):
        drawn = found[name][np.isfinite(found[name])]
        error = np.sqrt(0.75 * 0.25 / drawn.size)
        assert abs(drawn.mean() - 0.75) < 4 * error


def test_parts_of_a_trial_know_the_pull_before_them() -> None:
    tasks = trials("bernoulli_bandit", 5, 6, arms=ARMS)
    whole = play_trial(tasks, StayOrShift())
    cut = [
        Rollout(*(None if x is None else x[:, a:b] for x in vars(whole).values()))
        for a, b in ((0, 1), (1, 4), (4, 6))
    ]
    one, many = traces(tasks, iter([whole])), traces(tasks, iter(cut))
    np.testing.assert_array_equal(one["switch_after_loss"], many["switch_after_loss"])


def test_other_environments_have_no_arms_to_change() -> None:
    tasks = trials("gridworld", 1, 1)
    found = traces(tasks, learner("random_actions").play({}, tasks))
    assert "switch_after_loss" not in found


def test_a_trial_counts_each_of_its_losses_once() -> None:
    rows = {
        name: np.array([[row]])
        for name, row in {
            "episode_return": [0.0, 1.0, 0.0, 0.0, 1.0],
            "episode_regret": [0.5] * 5,
            "episode_length": [1.0] * 5,
            "switch_after_loss": [np.nan, 1.0, np.nan, 0.0, 1.0],
            "switch_after_win": [np.nan] * 5,
        }.items()
    }
    found = summarize_trials(rows, 5, [[9.0]], [[1.0]], totals=True)
    assert found["loss_switches"] == pytest.approx(2 / 3)
    assert np.isnan(found["win_switches"]).all()


def test_pulls_without_a_loss_before_them_are_not_counted_as_lost() -> None:
    rows = np.array([[[np.nan, 1.0, np.nan], [np.nan, 0.0, 1.0]]])
    axes, at = ("replicate", "task", "step"), {"step": (1.0, 2.0, 3.0)}
    curve = make_curve(Block("a", "test", "switch_after_loss", axes, rows, coords=at))
    np.testing.assert_array_equal(curve.mean, [np.nan, 0.5, 1.0])
    assert not curve.missing_counts.any()
