"""Probes of agents: a trial that is played again must begin as it did.

The first test trials are begun, other trials are played, and then the first ones are
begun again. An agent whose first episode differs kept something between trials. Where
the Bayes optimum is known, no agent can lose less on average.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.rl.rollouts import Rollout
from engine.algorithms.rl.trial_learner import TrialLearner
from engine.contract.events import Block, Event, Note
from engine.protocol import Learner, Meta, TrialBatch
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.probe_answers import task_block
from engine.runner.state import RunState
from engine.tasks.rl._environment_family import EnvironmentFamily

TRIALS = 16  # of each replicate
# Devices that add in another order each time round differently.
RELATIVE, ABSOLUTE = 1e-4, 1e-6


def replay_cost(context: RunContext, learner: Learner) -> float:
    """Return how many episodes a learner's replays take, for progress."""
    each = learner.gradients_per_test(context.spec.budget.horizon)
    return 3 * context.spec.replicates * _count(context) * each


def probe_replay(
    context: RunContext, entry: LearnerEntry, state: RunState
) -> Iterator[Event]:
    """Begin the first test trials again, after other ones.

    Args:
        context: The run.
        entry: The learner.
        state: Holds its frozen meta-weights.

    Yields:
        A note, and for each trial whether its first episode differs.
    """
    tasks = context.draw(context.setting, "test", ("test", 0), _count(context))
    others = context.draw(context.setting, "test", ("replay",), _count(context))
    learner, weights = entry.learner, state.metas[entry.label]
    assert isinstance(learner, TrialLearner)
    assert isinstance(tasks, TrialBatch) and isinstance(others, TrialBatch)
    if learner.why_not(Meta(weights, {}), tasks):
        return
    before = next(learner.play(weights, tasks))
    yield Note(f"probe {entry.label}", 0.5)
    for _ in learner.play(weights, others):
        pass
    after = next(learner.play(weights, tasks))
    differs = first_episode_differs(before, after).cpu().numpy()
    yield task_block(entry.label, "replay_differs", differs, tasks)


def first_episode_differs(one: Rollout, other: Rollout) -> Tensor:
    """Return whether the first episodes are others; bool, shape (member,)."""
    same = [
        torch.isclose(
            _first(x, one), _first(y, other), RELATIVE, ABSOLUTE, equal_nan=True
        ).all(1)
        for x, y in (
            (one.action, other.action),
            (one.entropy, other.entropy),
            (one.reward, other.reward),
        )
    ]
    return ~torch.stack(same).all(0)


def _first(row: Tensor, part: Rollout) -> Tensor:
    """Return numbers of the first episode, 0 after its end; (member, number)."""
    alive = part.alive[:, 0].unsqueeze(-1)
    numbers = row[:, 0].double().view(*alive.shape[:2], -1)
    return numbers.where(alive, 0.0).flatten(1)


def _count(context: RunContext) -> int:
    return min(TRIALS, context.spec.budget.test_tasks)


def probe_bounds(context: RunContext, state: RunState) -> Iterator[Event]:
    """Compute the smallest possible expected regret of each condition.

    Args:
        context: The run.
        state: Not used; every stage takes it.

    Yields:
        One number for each condition for which it is known.
    """
    conditions, _ = context.test_conditions()
    for each in conditions:
        family = each.setting.family
        if not isinstance(family, EnvironmentFamily):
            continue
        # A wrapper only takes from what agents know or do, so the bound holds.
        least = family.least_regret(each.setting.horizon)
        if least is not None:
            yield Block("", "test", "least_regret", (), np.array(least), each.condition)
