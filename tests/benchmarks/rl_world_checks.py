"""Tabular MDPs beside the figures of Duan et al. (2016), and the scale of navigation.

`python -m tests.benchmarks.rl_world_checks` prints mean total rewards of a trial with
95 % intervals. The optimum of each MDP is a control variate: a set of easy MDPs earns
nobody more.
"""

import argparse
import sys

import torch
from torch import Tensor

from engine.catalogue import discover_parts
from engine.contract.registry import part
from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Family, Meta, Setting, TrialBatch
from engine.tasks.rl.navigation import Navigation
from engine.tasks.rl.tabular_mdp import TabularMdp

PUBLISHED = {"random_actions": (100.1, 999.4), "psrl": (138.1, 1939.5)}
EPISODES = (10, 100)


def draw(family: Family, episodes: int, count: int, seed: int) -> TrialBatch:
    """Draw some trials."""
    streams = [Rng(seed).child("test", 0, task) for task in range(count)]
    setting = Setting(family, Mlp(width=4), episodes)
    batch = family.draw(setting, streams, "test", BatchSpec())
    assert isinstance(batch, TrialBatch)
    return batch


def returns(name: str, tasks: TrialBatch) -> Tensor:
    """Return what a strategy earns in each trial; shape (member,)."""
    learner = part("learner", name)()
    (trace,) = learner.adapt(Meta({}, {}), tasks)  # type: ignore[attr-defined]
    earned: Tensor = trace.traces["episode_return"].sum(1)
    return earned


def interval(values: Tensor) -> str:
    """Format a mean with its 95 % interval."""
    half = 1.96 * float(values.std()) / len(values) ** 0.5
    return f"{float(values.mean()):.2f} ± {half:.2f}"


def report_mdps(episodes: int, count: int, seed: int) -> None:
    """Print what random actions, PSRL and the optimum earn in random MDPs."""
    tasks = draw(TabularMdp(), episodes, count, seed)
    best = tasks.optimum.sum(1)
    # The mean optimum over the family, from many more MDPs than are played.
    mean = float(draw(TabularMdp(), 1, 20_000, seed + 1).optimum.mean()) * episodes
    sys.stdout.write(f"{episodes} episodes, {count} MDPs; optimum {mean:.2f}\n")
    for name, published in PUBLISHED.items():
        earned = returns(name, tasks)
        slope = torch.cov(torch.stack([earned, best]))[0, 1] / best.var()
        found = interval(earned - slope * (best - mean))
        asked = published[EPISODES.index(episodes)]
        sys.stdout.write(f"  {name}: {found} (published {asked})\n")


def report_navigation(count: int, seed: int) -> None:
    """Print what an oracle, and standing still, earn in the plane."""
    tasks = draw(Navigation(), 1, count, seed)
    still = -tasks.steps * tasks.parameters["goal"].norm(dim=1)
    sys.stdout.write(
        f"navigation: oracle {interval(returns('oracle', tasks))} (scale −0.50), "
        f"standing still {interval(still)} (scale −38.1)\n"
    )


def main() -> None:
    """Print all figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--episodes", type=int, choices=EPISODES, default=10)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    discover_parts()
    report_navigation(asked.tasks, asked.seed)
    report_mdps(asked.episodes, asked.tasks, asked.seed)


if __name__ == "__main__":
    main()
