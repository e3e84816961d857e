"""Verdicts on agents: regret is explained, and what the goal is."""

from engine.stats import run_summary
from tests.stats.made_up_trials import RANDOM, RL2, pulls, rl_spec, trials


def test_a_verdict_on_agents_says_what_regret_and_the_goal_are() -> None:
    blocks = [
        *trials("rl2", pulls(0.78)),
        *trials("random_actions", pulls(0.4, seed=1)),
    ]
    found = run_summary.summarize(blocks, rl_spec(RL2, RANDOM))
    assert "RL² is better than random actions in regret on" in found["headline"]
    told = str(found["sentence"])
    assert "Regret is the reward that a trial lost" in told
    assert "a trial has 20 episodes" in told
    assert "10 % of the regret of random actions: " in told
    assert " % and 0 % of the trials reach it)" in told
