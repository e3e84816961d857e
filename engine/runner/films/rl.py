"""Films of agents: the first trials of every agent, step by step."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from engine.algorithms.rl.rollouts import Rollout, join_rollouts
from engine.algorithms.rl.trial_learner import TrialLearner
from engine.contract.events import Artefact, Event, Note
from engine.contract.kinds import RL
from engine.protocol import Meta, TrialBatch, Weights
from engine.protocol.member_chunks import select_replicates
from engine.runner.context import MetaTestCondition, RunContext
from engine.runner.films import FILM_RECORDERS, FilmRecorder
from engine.runner.meta_test import draw_test_tasks
from engine.runner.state import RunState

TRIALS = 3  # how many trials of the first replicate are kept
MAPPED = 32  # trials that tell the size of returns, the unit of some critics
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
    every = draw_test_tasks(context, condition)
    assert isinstance(every, TrialBatch)
    if not every.environment.picture:
        return
    count = min(TRIALS, context.spec.budget.test_tasks)
    tasks = every.take(range(count))
    mapped = every.take(range(min(MAPPED, context.spec.budget.test_tasks)))
    places = place_arrays(mapped)
    arrays = {f"task/{key}": row.numpy() for key, row in tasks.parameters.items()}
    arrays["optimum"] = tasks.optimum.numpy()
    arrays |= {name: row[:count] for name, row in places.items()}
    for i, entry in enumerate(context.entries):
        yield Note(name, i / len(context.entries), entry.label)
        assert isinstance(entry.learner, TrialLearner)
        weights = select_replicates(state.metas[entry.label], range(1))
        if entry.learner.why_not(Meta(weights, {}), tasks):
            continue
        played = join_rollouts(list(entry.learner.play(weights, tasks)))
        found = _steps(played)
        if places:
            maps = value_arrays(entry.learner, weights, mapped)
            found |= {key: row[:count] for key, row in maps.items()}
        for label in entry.labels:
            arrays |= {f"{label}/{key}": row for key, row in found.items()}
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


def place_arrays(tasks: TrialBatch) -> Arrays:
    """Return what is seen at places, and their optimal values; nothing without a map.

    Args:
        tasks: The tasks.

    Returns:
        Reward per step of an episode; shape (trial, place, …) each.
    """
    world = tasks.environment
    found = [world.places(tasks.parameters, e) for e in (0, tasks.horizon - 1)]
    first, last = found
    if first is None or last is None:
        return {}
    return {
        "places/seen": first.seen.expand(tasks.members, -1, -1).numpy(),
        "places/first": (first.value / tasks.steps).numpy(),
        "places/last": (last.value / tasks.steps).numpy(),
    }


def value_arrays(learner: TrialLearner, weights: Weights, tasks: TrialBatch) -> Arrays:
    """Return what a value net expects at places; nothing without such a net.

    Args:
        learner: The agent.
        weights: Of one replicate.
        tasks: Tasks with places.

    Returns:
        Reward per step that is left; shape (trial, place) each.
    """
    places = tasks.environment.places(tasks.parameters, 0)
    assert places is not None
    maps = learner.value_maps(weights, tasks, places.seen)
    if maps is None:
        return {}
    return {"value_first": maps.first.numpy(), "value_last": maps.last.numpy()}


FILM_RECORDERS[RL.name] = FilmRecorder(film_trials)
