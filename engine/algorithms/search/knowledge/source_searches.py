"""Search source tasks in meta-training, and return the trainings as experiences."""

from typing import Literal

import numpy as np
from jaxtyping import Float, Shaped

from engine.algorithms.search.evolution import Evolution, empty_population
from engine.algorithms.search.knowledge.knowledge_base import ExperienceBatch
from engine.algorithms.search.proposals import random_order
from engine.algorithms.search.search_loop import SearchRecord, search_to_end
from engine.protocol import OuterStepContext, Proposal, SearchBatch, generator

POPULATION = SAMPLE = 10
SourceStrategy = Literal["random", "evolution"]


def run_source_searches(
    tasks: SearchBatch,
    step_context: OuterStepContext,
    source: SourceStrategy,
    *,
    shuffled: bool = False,
) -> ExperienceBatch:
    """Search every source task of a meta-step; return the trained architectures.

    Args:
        tasks: Members are replicate × task.
        step_context: Its step numbers the searches.
        source: The strategy that searches.
        shuffled: Whether to permute the accuracies within each search, as a negative
            control.
    """
    found = _run_random_search(tasks) if source == "random" else _run_evolution(tasks)
    accuracy = _shuffle_accuracies(tasks, found) if shuffled else found.signal
    each = tasks.members // tasks.replicates
    shape = accuracy.shape
    search = step_context.step * each + np.arange(tasks.members) % each
    return ExperienceBatch(
        _group_by_replicate(tasks, tasks.to_evaluator_codes(found.codes)),
        _group_by_replicate(tasks, accuracy),
        _group_by_replicate(tasks, np.broadcast_to(tasks.task_index[:, None], shape)),
        _group_by_replicate(tasks, np.broadcast_to(np.arange(shape[1]), shape)),
        _group_by_replicate(tasks, np.broadcast_to(search[:, None], shape)),
        _group_by_replicate(tasks, found.live),
    )


def draw_uniform(
    step_context: OuterStepContext, items: int
) -> Float[np.ndarray, "replicate item"]:
    """Return one uniform number per experience; (replicate, item)."""
    streams = [rng.child("sample") for rng in step_context.rngs]
    return np.stack([generator(rng).random(items) for rng in streams])


def _run_random_search(tasks: SearchBatch) -> SearchRecord:
    plan = random_order(tasks)
    return search_to_end(
        tasks,
        None,
        lambda step, state: Proposal(plan[:, step]),
        lambda state, told: (None, {}),
    )


def _run_evolution(tasks: SearchBatch) -> SearchRecord:
    uniform = tasks.uniform("evolution", tasks.horizon, SAMPLE + 3)
    evolution = Evolution(
        random_order(tasks)[:, :POPULATION], uniform, SAMPLE, aging=True
    )
    return search_to_end(
        tasks,
        empty_population(tasks, POPULATION),
        lambda step, state: evolution.ask(tasks, step, state),
        lambda state, told: (evolution.tell(state, told), {}),
    )


def _shuffle_accuracies(
    tasks: SearchBatch, found: SearchRecord
) -> Float[np.ndarray, "member evaluation"]:
    uniform = tasks.uniform("shuffle", tasks.horizon)
    accuracy = found.signal.copy()
    for member, live in enumerate(found.live):
        at = np.flatnonzero(live)
        accuracy[member, at] = accuracy[member, at[np.argsort(uniform[member, at])]]
    return accuracy


def _group_by_replicate(
    tasks: SearchBatch, rows: Shaped[np.ndarray, "member evaluation ..."]
) -> Shaped[np.ndarray, "replicate item ..."]:
    """Put the searches of a replicate one after the other; (replicate, item, …)."""
    return rows.reshape(tasks.replicates, -1, *rows.shape[2:])
