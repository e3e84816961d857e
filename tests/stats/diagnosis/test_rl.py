"""Pitfalls of agents are found where they are, and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from engine.contract.events import Block
from engine.contract.run_spec import Budget, RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.diagnosis import diagnose
from tests.stats.made_up import Array, along, number, tuning_scores
from tests.stats.made_up_trials import (
    BEST,
    EPISODES,
    RANDOM,
    RL2,
    agent,
    pulls,
    rl_spec,
    trials,
)


def flags(blocks: list[Block], run: RunSpec | None = None) -> dict[int, bool]:
    """Return which detectors spoke, and whether any of their findings is flagged."""
    found: dict[int, bool] = {}
    for each in diagnose(BlockTable(blocks, "rl"), run or rl_spec()):
        found[each.detector] = found.get(each.detector, False) or each.flagged
    return found


def learned(**changes: Array) -> list[Block]:
    """Return the meta-training of a sound agent; some of its series changed."""
    good = {
        "entropy": np.linspace(1.6, 0.3, 20),
        "explained_variance": np.linspace(-0.2, 0.6, 20),
    }
    rows = [along("rl2", "train", n, v) for n, v in (good | changes).items()]
    checks = along("rl2", "validate", "validation_cost", np.array([5.0, 3.0, 4.0]))
    return [*rows, checks, number("rl2", "train", "gradient_evaluations", 500.0)]


def fine() -> list[Block]:
    return [
        *trials("rl2", pulls(0.79, 1)),
        *trials("random_actions", pulls(0.4, 2)),
        *learned(),
    ]


def test_a_sound_run_of_agents_has_no_warnings() -> None:
    found = flags(fine())
    assert {14, 15, 17, 21, 38, 39} <= found.keys()
    assert not any(found.values())


@pytest.mark.parametrize(("above", "flagged"), [(0.1, True), (0.0, False)])
def test_returns_above_the_optimum_are_a_leak(above: float, flagged: bool) -> None:
    """At the optimum, luck puts half of the agents above it."""
    blocks = trials("rl2", pulls(BEST + above, 3)) + learned()
    assert flags(blocks, rl_spec(RL2))[21] is flagged


@pytest.mark.parametrize(("above", "flagged"), [(0.1, True), (0.0, False)])
def test_less_regret_than_the_bayes_optimum_is_a_leak(
    above: float, flagged: bool
) -> None:
    """The regret is 0.2 in each episode, or less than that, but far from 0."""
    blocks = trials("rl2", pulls(BEST - 0.2 + above, 3)) + learned()
    bound = Block("", "test", "least_regret", (), np.array(0.2 * EPISODES))
    assert not flags(blocks, rl_spec(RL2))[21]
    assert flags([*blocks, bound], rl_spec(RL2))[21] is flagged


@pytest.mark.parametrize("known", [True, False])
def test_the_finding_says_whether_the_bayes_optimum_is_known(known: bool) -> None:
    bound = Block("", "test", "least_regret", (), np.array(4.0))
    blocks = [*fine(), *[bound] * known]
    found = diagnose(BlockTable(blocks, "rl"), rl_spec())
    told = [each.evidence for each in found if each.detector == 21]
    assert all(("loses 4" in each) is known for each in told)
    assert all(("not known here" in each) is not known for each in told)


def test_a_best_policy_that_never_varies_is_no_leak() -> None:
    exact = np.full((1, 2, EPISODES), BEST, np.float32) + 1e-7
    assert not flags(trials("rl2", exact), rl_spec(RL2))[21]


def test_a_value_that_explains_nothing_is_found() -> None:
    assert flags([*fine(), *learned(explained_variance=np.full(20, -0.1))])[38]
    # A critic that starts badly and learns is none.
    assert not flags(fine())[38]


@pytest.mark.parametrize(("at", "flagged"), [(4, True), (16, False)])
def test_only_an_early_loss_of_entropy_is_a_collapse(at: int, flagged: bool) -> None:
    entropy = np.where(np.arange(20) < at, 1.6, 0.1)
    assert flags([*fine(), *learned(entropy=entropy)])[15] is flagged


def test_the_entropy_of_continuous_actions_says_nothing_of_a_collapse() -> None:
    assert 15 not in flags([*fine(), *learned(entropy=np.linspace(-0.9, -3, 20))])


def test_an_agent_that_training_does_not_improve_is_found() -> None:
    worse = along("rl2", "validate", "validation_cost", np.array([3.0, 3.0, 4.0]))
    sound = [b for b in fine() if b.metric != "validation_cost"]
    assert flags([*sound, worse])[14]


@pytest.mark.parametrize(
    ("rate", "flagged"), [(-2.0, True), (-1.0, False), (-0.5, False)]
)
def test_stopping_sooner_while_each_step_earns_less_is_found(
    rate: float, flagged: bool
) -> None:
    """Constant costs per step, as in Acrobot, make reaching the end a merit."""
    lengths = np.where(np.arange(EPISODES) < 10, 50.0, 10.0) * np.ones((4, 16, 1))
    noise = pulls(0.0, 5)
    earned = lengths * np.where(np.arange(EPISODES) < 10, -1.0, rate) + noise
    blocks = trials("rl2", earned, lengths=lengths) + learned()
    assert flags(blocks, rl_spec(RL2))[39] is flagged


def test_more_episodes_than_the_budget_has_are_not_overlooked() -> None:
    short = rl_spec(budget=Budget(horizon=EPISODES - 5, test_tasks=16))
    assert flags(fine(), short)[17]


@pytest.mark.parametrize(("counted", "flagged"), [(False, True), (True, False)])
def test_tuning_that_counts_no_interactions_is_found(
    counted: bool, flagged: bool
) -> None:
    tuned = agent("from_scratch", "baseline", tuning="tuned")
    scores = tuning_scores("from_scratch", 3.0, 1.0, 2.0)
    spent = number("from_scratch", "tune", "gradient_evaluations", 900.0)
    blocks = [*fine(), *trials("from_scratch", pulls(0.5, 6)), scores]
    found = flags([*blocks, *[spent] * counted], rl_spec(RL2, tuned))
    assert found[17] is flagged


@pytest.mark.parametrize(("share", "flagged"), [(0.4, False), (0.02, True)])
def test_trials_that_hardly_ever_reach_the_goal_are_found(
    share: float, flagged: bool
) -> None:
    """Where some do, the mean over all still tells agents apart."""
    blocks = trials("rl2", pulls(0.4, 6, tasks=50))
    at = np.arange(200).reshape(4, 50) < 200 * share
    rows = {"episodes_to_goal": np.where(at, 4.0, EPISODES), "reached": at * 1.0}
    blocks = [replace(b, array=rows.get(b.metric, b.array)) for b in blocks]
    assert flags(blocks, rl_spec(RL2))[18] is flagged


def test_findings_of_other_kinds_do_not_apply_to_agents() -> None:
    assert not {2, 7, 9, 10, 13, 19, 24, 25} & set(flags(fine(), rl_spec(RL2, RANDOM)))


def test_episodes_that_were_played_but_not_counted_are_found() -> None:
    halved = [
        replace(b, array=b.array / 2) if b.metric == "gradient_evaluations" else b
        for b in fine()
    ]
    assert flags(halved)[17]
