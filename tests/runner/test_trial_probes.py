"""A trial that is played again begins as it did, unless an agent kept something."""

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from engine.algorithms.rl.bandits.bayes_optimum import least_regret
from engine.algorithms.rl.memory_agent import MemoryAgent
from engine.algorithms.rl.rollouts import Decision, Rollout, Seen, play_trial
from engine.contract.events import Block
from engine.contract.registry import part, parts
from engine.learners.memory.rl2 import Rl2
from engine.protocol import Learner, TrialBatch, Weights
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.state import RunState
from engine.runner.trial_probes import probe_bounds, probe_replay
from engine.stats.block_table import BlockTable
from engine.stats.diagnosis import diagnose
from tests.laws.small import learner_spec

AGENTS = [
    each.name
    for each in parts("learner")
    if issubclass(each, Learner) and "rl" in each.solves
]
KEPT: list[Weights] = []


class TenaciousAgent(MemoryAgent):
    """Begins a trial with the memory that the last one ended with."""

    def start(self, members: int, lanes: int) -> Weights:
        return KEPT[-1] if KEPT else super().start(members, lanes)

    def act(self, memory: Weights, seen: Seen, noise: Tensor) -> Decision:
        found = super().act(memory, seen, noise)
        KEPT[:] = [found.memory]
        return found


class Hoarder(Rl2):
    """RL² whose hidden state outlives the trial."""

    def play(self, weights: Weights, tasks: TrialBatch) -> Iterator[Rollout]:
        yield play_trial(tasks, TenaciousAgent(self.policy(tasks), weights))


def probed(name: str, learner: Learner | None = None) -> tuple[RunContext, list[Block]]:
    """Probe an untrained agent."""
    spec = learner_spec(name, budget={"test_tasks": 6, "horizon": 3}, replicates=2)
    context, state = RunContext(spec), RunState()
    (entry,) = context.entries
    if learner is not None:
        entry = LearnerEntry(**{**vars(entry), "learner": learner})
    tasks = context.draw(context.setting, "test", ("test", 0), 1)
    drawn = entry.learner.init(context.streams("init"), tasks).weights
    # Fresh policies of agents with a memory are uniform, whatever they remember.
    noise = torch.Generator().manual_seed(1)
    state.metas[entry.label] = {
        key: w + 0.1 * torch.randn(w.shape, generator=noise) for key, w in drawn.items()
    }
    events = probe_replay(context, entry, state)
    return context, [event for event in events if isinstance(event, Block)]


def flagged(context: RunContext, blocks: list[Block]) -> list[bool]:
    table = BlockTable(blocks, "rl")
    found = diagnose(table, context.spec)
    return [f.flagged for f in found if f.name == "Kept between trials"]


@pytest.mark.parametrize("name", AGENTS)
def test_no_agent_keeps_anything_between_trials(name: str) -> None:
    context, (block,) = probed(name)
    assert block.array.shape == (2, 6)
    assert flagged(context, [block]) == [False]


def test_a_memory_that_outlives_the_trial_is_found() -> None:
    KEPT.clear()
    context, (block,) = probed("rl2", Hoarder(hidden=6))
    assert np.mean(block.array) == 1
    assert flagged(context, [block]) == [True]


def test_the_bayes_optimum_is_known_where_arms_stay() -> None:
    shifts = [
        {"name": "arm_gap", "severities": [0.5]},
        {"name": "arm_drift", "severities": [0.1]},
    ]
    horizon = {"horizon": 5, "test_tasks": 4}
    spec = learner_spec("ucb1", "bernoulli_bandit", shifts=shifts, budget=horizon)
    blocks = list(probe_bounds(RunContext(spec), RunState()))
    found = {b.condition.shift: float(b.array) for b in blocks if isinstance(b, Block)}
    arms = int(part("family", "bernoulli_bandit")().arms)  # type: ignore[attr-defined]
    assert found == {
        "": least_regret(arms, 5),
        "arm_gap": least_regret(arms, 5, 0.25, 0.75),
    }
