"""Goals of trials: reached to stay, censored, and moved as a person likes."""

import numpy as np
import pytest

from engine.stats.block_table import BlockTable
from engine.stats.learner_claims import CANT_TELL, EQUAL, make_claims
from engine.stats.task_metrics.rl import summarize_trials
from tests.stats.made_up import Array
from tests.stats.made_up_trials import BEST, EPISODES, LOST, pulls, rl_spec, trials


def goal_of(regret: list[float], random: float = 1.0, steps: float = 1.0) -> Array:
    """Return episodes and interactions to the goal, and whether it was reached."""
    rows = np.array([[regret]])
    traces = {
        "episode_return": -rows,
        "episode_regret": rows,
        "episode_length": np.full_like(rows, steps),
    }
    found = summarize_trials(traces, 1, [[9.0]], [[random]], totals=False)
    names = ("episodes_to_goal", "interactions_to_goal", "reached")
    return np.array([found[name][0, 0] for name in names])


@pytest.mark.parametrize(
    ("regret", "expected"),
    [
        ([1.0, 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0], [4, 12, 1]),
        # One lucky pull in the middle, or at the end, is no goal.
        ([1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0], [8, 24, 0]),
        ([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0], [8, 24, 0]),
        # Where the rest is good on average, one bad pull is forgiven.
        ([0.0, 0.0, 0.0, 0.7, 0.0, 0.0, 0.0, 0.0], [1, 3, 1]),
        ([1.0, 1.0, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan], [8, 24, 0]),
    ],
)
def test_a_goal_is_reached_once_the_rest_is_good(
    regret: list[float], expected: list[float]
) -> None:
    np.testing.assert_array_equal(goal_of(regret, steps=3.0), expected)


def test_the_goal_is_a_tenth_of_what_random_actions_lose() -> None:
    regret = [1.0, 1.0, 0.2, 0.2]
    assert goal_of(regret, random=2.0)[0] == 3
    assert not goal_of(regret, random=1.9)[2]


def test_another_goal_is_reached_as_the_runs_own_was() -> None:
    blocks = trials("rl2", BEST - np.linspace(0.5, 0.0, EPISODES) * np.ones((2, 3, 1)))
    table = BlockTable(blocks, "rl")
    kept = table.test_values("rl2", "episodes_to_goal")
    again = table.with_threshold(0.1 * LOST).test_values("rl2", "episodes_to_goal")
    assert kept is not None and again is not None
    np.testing.assert_array_equal(again, kept)
    sooner = table.with_threshold(0.2).test_values("rl2", "episodes_to_goal")
    assert sooner is not None and (sooner < kept).all()


def test_agents_without_regret_can_be_equal() -> None:
    """A margin that is a share of the baseline's own regret would be 0."""
    best = BEST + 0.001 * (pulls(0.0) - pulls(0.0).mean())
    blocks = [*trials("rl2", best), *trials("random_actions", best[:, ::-1])]
    run = rl_spec()
    (claim,) = (
        c for c in make_claims(BlockTable(blocks, "rl"), run, None) if c.primary
    )
    assert claim.margin == pytest.approx(0.05 * LOST * EPISODES)
    assert claim.call == EQUAL


@pytest.mark.parametrize(("level", "call"), [(BEST, EQUAL), (BEST - LOST, CANT_TELL)])
def test_agents_that_never_reach_the_goal_are_not_equal_in_reaching_it(
    level: float, call: str
) -> None:
    """Both earn the same, at once the best possible or never enough."""
    earned = np.full((2, 8, EPISODES), level)
    blocks = [*trials("rl2", earned), *trials("random_actions", earned)]
    claims = make_claims(BlockTable(blocks, "rl"), rl_spec(replicates=2), None)
    assert {each.metric: each.call for each in claims} == {
        "trial_regret": EQUAL,
        "episodes_to_goal": call,
    }
