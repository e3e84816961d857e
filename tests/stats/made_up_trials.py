"""Trials that nobody played: returns with a known truth, as blocks."""

from collections.abc import Mapping

import numpy as np

from engine.contract.events import Block, Condition
from engine.contract.run_spec import Budget, Choice, LearnerChoice, RunSpec
from engine.stats.task_metrics.rl import summarize_trials
from tests.stats.made_up import HERE, Array

EPISODES, BEST, LOST = 20, 0.8, 0.4


def agent(label: str, role: str = "chosen", **knobs: object) -> LearnerChoice:
    return LearnerChoice(name=label, label=label, role=role, knobs=knobs)


RL2 = agent("rl2")
RANDOM = agent("random_actions", "baseline")


def rl_spec(*learners: LearnerChoice, **changes: object) -> RunSpec:
    settings: dict[str, object] = {
        "kind": "rl",
        "family": Choice(name="bernoulli_bandit"),
        "learners": learners or (RL2, RANDOM),
        "budget": Budget(horizon=EPISODES, test_tasks=16),
        "replicates": 4,
    }
    return RunSpec(**(settings | changes))


def pulls(mean: float, seed: int = 0, replicates: int = 4, tasks: int = 16) -> Array:
    """Return expected rewards that vary a little about a mean, by episode."""
    draw = np.random.default_rng(seed)
    return mean + 0.05 * draw.standard_normal((replicates, tasks, EPISODES))


def trials(
    label: str,
    earned: Array,
    condition: Condition = HERE,
    *,
    lengths: Array | None = None,
    more: Mapping[str, Array] | None = None,
) -> list[Block]:
    """Return what tests with these returns leave behind; (replicate, task, episode).

    Args:
        label: The agent.
        earned: Return of each episode, which is also the expected one.
        condition: Where it was tested.
        lengths: Steps of each episode; default 1.
        more: Further traces, by metric.
    """
    traces = {
        "episode_return": earned,
        "episode_regret": BEST - earned,
        "episode_length": np.ones_like(earned) if lengths is None else lengths,
        **(more or {}),
    }
    worst = np.full(earned.shape[:2], BEST * EPISODES)
    rows = summarize_trials(
        traces, EPISODES, worst, np.full(earned.shape[:2], LOST), totals=True
    )
    at = {"step": tuple(map(float, range(1, earned.shape[-1] + 1)))}
    axes = ("replicate", "task", "step")
    blocks = [
        Block(label, "test", name, axes, rows_.astype(np.float32), condition, at)
        for name, rows_ in traces.items()
    ]
    blocks += [
        Block(label, "test", name, ("replicate", "task"), row, condition)
        for name, row in rows.items()
    ]
    spent = np.full(len(earned), float(earned[0].size))
    every = ("replicate",)
    return [
        *blocks,
        Block(label, "test", "gradient_evaluations", every, spent, condition),
    ]
