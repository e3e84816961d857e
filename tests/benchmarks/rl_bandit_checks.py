"""Strategies for Bernoulli bandits beside the figures of Duan et al. (2016).

`python -m tests.benchmarks.rl_bandit_checks` prints the mean total reward of a trial.
ε and the width of UCB1 are chosen for each setting on other tasks, as in the paper.
"""

import argparse
import sys

import torch

from engine.algorithms.rl.bandits.bayes_optimum import (
    STATES,
    count_states,
    optimal_value,
)
from engine.catalogue import discover_parts
from engine.contract.registry import part
from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Meta, Setting, TrialBatch
from engine.tasks.rl.bernoulli_bandit import BernoulliBandit

SETTINGS = ((10, 5), (10, 10), (100, 5), (100, 10))
PUBLISHED = {
    "random_actions": (5.0, 5.0, 49.9, 49.9),
    "gittins": (6.6, 6.6, 78.3, 82.8),
    "thompson": (5.7, 5.5, 74.7, 76.7),
    "ucb1": (6.7, 6.7, 78.0, 82.4),
    "epsilon_greedy": (6.6, 6.6, 75.4, 77.4),
    "greedy": (6.6, 6.6, 74.8, 77.1),
}
KNOBS = {
    "ucb1": ("width", (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4)),
    "epsilon_greedy": ("epsilon", (0.0, 0.01, 0.02, 0.05, 0.1)),
}


def draw(pulls: int, arms: int, count: int, pool: str) -> TrialBatch:
    """Draw some bandits."""
    family = BernoulliBandit(arms=arms)
    streams = [Rng(0).child(pool, 0, task) for task in range(count)]
    setting = Setting(family, Mlp(width=4), pulls)
    batch = family.draw(setting, streams, pool, BatchSpec())
    assert isinstance(batch, TrialBatch)
    return batch


def expected_rewards(name: str, tasks: TrialBatch, **knobs: float) -> torch.Tensor:
    """Return rewards of trials whose mean is that of what is paid, with less noise.

    Each pull counts its arm's probability. The optimum of a task, whose mean over
    tasks is known, is a control variate: a set of easy tasks earns nobody more.
    """
    learner = part("learner", name)(**knobs)
    (trace,) = learner.adapt(Meta({}, {}), tasks)  # type: ignore[attr-defined]
    earned = (tasks.optimum - trace.traces["episode_regret"]).sum(1)
    arms, possible = tasks.environment.actions.count, tasks.optimum.sum(1)
    slope = torch.cov(torch.stack([earned, possible]))[0, 1] / possible.var()
    luck: torch.Tensor = slope * (possible - tasks.horizon * arms / (arms + 1))
    return earned - luck


def choose_knobs(name: str, pulls: int, arms: int, count: int) -> dict[str, float]:
    """Return the knob that does best on tasks of their own."""
    if name not in KNOBS:
        return {}
    field, values = KNOBS[name]
    tasks = draw(pulls, arms, count, "validation")
    means = [expected_rewards(name, tasks, **{field: v}).mean() for v in values]
    return {field: values[int(torch.stack(means).argmax())]}


def main(count: int, only: int) -> None:
    """Print one line for each strategy and setting; `only` some pulls, 0 for all."""
    discover_parts()
    for column, (pulls, arms) in enumerate(SETTINGS):
        if only not in (0, pulls):
            continue
        tasks = draw(pulls, arms, count, "test")
        if count_states(arms, pulls) <= STATES:
            bound = optimal_value(arms, pulls)
            tell(pulls, arms, "bayes_optimum", bound, expected("bayes_optimum", tasks))
        for name, row in PUBLISHED.items():
            knobs = choose_knobs(name, pulls, arms, count)
            got = expected(name, tasks, **knobs)
            tell(pulls, arms, name, row[column], got, knobs)


def expected(name: str, tasks: TrialBatch, **knobs: float) -> tuple[float, float]:
    """Return the mean reward of a trial and its standard error."""
    rewards = expected_rewards(name, tasks, **knobs)
    return float(rewards.mean()), float(rewards.std() / len(rewards) ** 0.5)


def tell(
    pulls: int,
    arms: int,
    name: str,
    asked: float,
    got: tuple[float, float],
    knobs: dict[str, float] | None = None,
) -> None:
    """Print one line."""
    mean, error = got
    away = 100 * (mean / asked - 1)
    sys.stdout.write(
        f"n {pulls:3d}  k {arms:2d}  {name:15s} asked {asked:7.3f}  "
        f"measured {mean:7.3f} ± {error:.3f}  ({away:+.1f} %)  {knobs or ''}\n"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=4000)
    parser.add_argument("--pulls", type=int, default=0)
    asked = parser.parse_args()
    main(asked.tasks, asked.pulls)
