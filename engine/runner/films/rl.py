"""Films of agents: the first trials of every agent, step by step."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from engine.algorithms.rl.rollouts import Rollout, join_rollouts
from engine.algorithms.rl.trial_learner import TrialLearner
from engine.contract.events import Artefact, Event, Note
from engine.contract.kinds import RL
from engine.protocol import Meta, TrialBatch
from engine.protocol.member_chunks import select_replicates
from engine.runner.context import MetaTestCondition, RunContext
from engine.runner.films import FILM_RECORDERS, FilmRecorder
from engine.runner.meta_test import draw_test_tasks
from engine.runner.state import RunState

TRIALS = 3  # how many trials of the first replicate are kept
Arrays = dict[str, np.ndarray]


def film_trials(
    context: RunContext, condition: MetaTestCondition, name: str, state: RunState
) -> Iterator[Event]:
    """Film the first trials of the first replicate by every agent.

    Args:
        context: The run.
        condition: The condition to film.
        name: The film's name.
        state: Holds the meta-weights.

    Yields:
        Notes and the film's artefact.
    """
    count = min(TRIALS, context.spec.budget.test_tasks)
    tasks = draw_test_tasks(context, condition).take(range(count))
    assert isinstance(tasks, TrialBatch)
    if not tasks.environment.picture:
        return
    arrays = {f"task/{key}": row.numpy() for key, row in tasks.parameters.items()}
    arrays["optimum"] = tasks.optimum.numpy()
    for i, entry in enumerate(context.entries):
        yield Note(name, i / len(context.entries), entry.label)
        assert isinstance(entry.learner, TrialLearner)
        weights = select_replicates(state.metas[entry.label], range(1))
        if entry.learner.why_not(Meta(weights, {}), tasks):
            continue
        played = join_rollouts(list(entry.learner.play(weights, tasks)))
        for label in entry.labels:
            arrays |= {f"{label}/{key}": row for key, row in _steps(played).items()}
    info = {
        "family": context.spec.family.name,
        "condition": asdict(condition.condition),
        "picture": tasks.environment.picture,
        "trials": count,
    }
    yield Artefact(name, "trials", arrays, info)


def _steps(played: Rollout) -> Arrays:
    """Return what happened at each step; shape (trial, episode, step, …)."""
    return {
        "observation": played.observation.numpy(),
        "action": played.action.numpy(),
        "reward": played.reward.numpy(),
        "alive": played.alive.numpy(),
    }


FILM_RECORDERS[RL.name] = FilmRecorder(film_trials)
