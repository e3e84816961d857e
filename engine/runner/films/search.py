"""Films of searches: the searched space, and each learner's path through it.

One artefact holds what every figure of a search needs, so that a page or an archive
draws it without the engine: all known scores, properties, and the first searches of
each learner, evaluation by evaluation.
"""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np

from engine.contract.events import Artefact, Event, Note
from engine.contract.kinds import SEARCH
from engine.protocol import Meta, SearchBatch
from engine.protocol.member_chunks import join_segments, select_replicates
from engine.runner.context import MetaTestCondition, RunContext
from engine.runner.films import FILM_RECORDERS, FilmRecorder
from engine.runner.films.space_maps import geometry
from engine.runner.meta_test import draw_test_tasks
from engine.runner.search_memory import measure_search_memory
from engine.runner.state import RunState

# At most: searches, architectures of a listed space, and snapshots of a policy.
SEARCHES, KNOWN, POLICIES = 3, 20_000, 40
Arrays = dict[str, np.ndarray]


def film_search(
    context: RunContext, condition: MetaTestCondition, name: str, state: RunState
) -> Iterator[Event]:
    """Film the first searches of the first replicate by every learner.

    Args:
        context: The run.
        condition: The condition to film.
        name: The film's name.
        state: Holds the meta-weights.

    Yields:
        Notes, memory timings and the film's artefact.
    """
    count = min(SEARCHES, context.spec.budget.test_tasks)
    tasks = draw_test_tasks(context, condition).take(range(count))
    assert isinstance(tasks, SearchBatch)
    arrays, info = known_space_scores(tasks), describe_search(tasks, condition)
    if tasks.space.size <= KNOWN:
        shapes, info["geometry"] = geometry(tasks.space.radix, arrays.get("scores"))
        arrays |= shapes
    for i, entry in enumerate(context.entries):
        yield Note(name, i / len(context.entries), entry.label)
        meta = Meta(select_replicates(state.metas[entry.label], range(1)), {})
        if entry.learner.why_not(meta, tasks):
            continue
        found = join_segments(list(entry.learner.adapt(meta, tasks, path=True)))
        paths: Arrays = {
            trace: found.traces[trace].numpy().astype(np.float32)
            for trace in ("architecture", "signal", "score")
        }
        # One more search costs nothing where scores are looked up, not trained.
        if condition.is_in_distribution and "scores" in arrays:
            first = tasks.take([0])
            yield measure_search_memory(entry.label, entry.learner, meta, first)
        if found.path is not None:
            kept = np.linspace(0, found.path.shape[1] - 1, POLICIES).round()
            at = np.unique(kept.astype(np.int64))
            paths |= {"policy": found.path[0, at].numpy(), "policy_at": at}
        for label in entry.labels:
            arrays |= {f"{label}/{trace}": rows for trace, rows in paths.items()}
    yield Artefact(name, "search", arrays, info)


def known_space_scores(tasks: SearchBatch) -> Arrays:
    """Return the scores and properties of the whole space, if they are known.

    Args:
        tasks: The searches; the first one's task is used.

    Returns:
        `scores` and each `property/…`, by architecture index of the searched space;
        empty if the space is too large to be listed.
    """
    if tasks.space.size > KNOWN:
        return {}
    full = tasks.all_codes()
    which = np.full(len(full), tasks.task_index[0])
    arrays: Arrays = {}
    table = tasks.evaluator.scores(int(tasks.task_index[0]))
    if table is not None:
        chosen = table[tasks.evaluator.space.index(full)]
        arrays["scores"] = chosen.astype(np.float32)
    for name in tasks.evaluator.properties:
        found = tasks.evaluator.property(name, which, full)
        arrays[f"property/{name}"] = found.astype(np.float32)
    return arrays


def describe_search(
    tasks: SearchBatch, condition: MetaTestCondition
) -> dict[str, object]:
    """Return a description of the space and the filmed searches, as JSON."""
    space, evaluator = tasks.space, tasks.evaluator
    return {
        "space": space.name,
        "positions": list(space.positions),
        "options": [list(names) for names in space.options],
        "edges": [list(edge) for edge in space.edges],
        "tasks": [evaluator.tasks[int(w)] for w in tasks.task_index],
        "properties": dict(evaluator.properties),
        "cost_unit": evaluator.cost_unit,
        "goal": tasks.goal,
        "evaluator": {
            "space": evaluator.space.name,
            "positions": list(evaluator.space.positions),
            "options": [list(names) for names in evaluator.space.options],
            "edges": [list(edge) for edge in evaluator.space.edges],
            "tasks": list(evaluator.tasks),
        },
        "condition": asdict(condition.condition),
    }


FILM_RECORDERS[SEARCH.name] = FilmRecorder(film_search)
