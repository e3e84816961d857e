"""Films of few-shot tasks: the worst, the median and the best of the meta-test.

The tasks are drawn again from their own streams, so that exactly the tested ones are
shown, also in a resumed run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import torch

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.contract.events import Artefact, Block, Event, Note
from engine.contract.kinds import FEW_SHOT
from engine.protocol import (
    EpisodeBatch,
    Meta,
    Prediction,
    TaskBatch,
    Weights,
    chosen_class,
)
from engine.protocol.member_chunks import select_replicates
from engine.runner.context import MetaTestCondition, RunContext, labels_of
from engine.runner.films import FILM_RECORDERS, FilmRecorder
from engine.runner.films.function_curves import (
    Arrays,
    answer_prediction,
    curves_over_examples,
    curves_over_steps,
    function_arrays,
)
from engine.runner.state import RunState
from engine.tasks.few_shot._display import (
    ROOM,
    display_bytes,
    image_bytes,
    leading_examples,
    to_numpy,
)

ADAPTATION, EPISODE = "adaptation", "episode"
MOST_SHOTS, MOST_QUERIES = 5, 15  # per class, in a frame
WORDS = ("only", "worst", "median", "best")  # in the order in which they are shown


def note_shown_tasks(context: RunContext, event: Event, state: RunState) -> None:
    """Keep in the state which tasks the first chosen learner did worst and best on.

    The film is recorded in a later stage, perhaps after a resume.
    """
    if not isinstance(event, Block) or event.metric != "error":
        return
    if reference_label(context) in labels_of(context, event.learner):
        state.shown[event.condition] = rank_tasks(np.asarray(event.array)[0])


def reference_label(context: RunContext) -> str:
    """Return the label of the learner whose errors decide which tasks are shown."""
    chosen = [c.label for c in context.spec.learners if c.role == "chosen"]
    return (chosen or [context.entries[0].label])[0]


def rank_tasks(errors: np.ndarray) -> dict[str, int]:
    """Return which tasks have the largest, the median and the smallest error.

    Args:
        errors: Shape (task,).

    Returns:
        Task index by rank; `only` for a single task.

    >>> rank_tasks(np.array([0.2, 0.9, 0.1, 0.3]))
    {'worst': 1, 'median': 0, 'best': 2}
    >>> rank_tasks(np.array([0.2, 0.9]))
    {'worst': 1, 'best': 0}
    """
    order = [int(i) for i in np.argsort(errors, kind="stable")]
    if len(order) == 1:
        return {"only": order[0]}
    found = {"worst": order[-1], "median": order[(len(order) - 1) // 2]}
    if len(order) == 2:
        del found["median"]
    return found | {"best": order[0]}


def film_few_shot(
    context: RunContext, condition: MetaTestCondition, name: str, state: RunState
) -> Iterator[Event]:
    """Film every learner on the chosen tasks of the first replicate.

    Args:
        context: The run.
        condition: The condition to film; if no task was noted under it, those noted in
            distribution are shown.
        name: The film's name.
        state: Holds the meta-weights and which tasks to show.

    Yields:
        Notes and the film's artefact.
    """
    judged = (
        condition
        if _tasks_to_show(condition, state)
        else context.test_conditions()[0][0]
    )
    which = _tasks_to_show(judged, state)
    if not which:
        return
    tasks = draw_shown_tasks(context, condition, list(which.values()))
    form = few_shot_form(tasks)
    arrays = _given_arrays(tasks, form)
    steps = {}
    for i, entry in enumerate(context.entries):
        yield Note(name, i / len(context.entries), entry.label)
        learner, weights = entry.learner, state.metas[entry.label]
        meta = Meta(select_replicates(weights, range(1)), {})
        if not form or not isinstance(learner, FewShotLearner):
            continue
        if learner.why_not(meta, tasks):
            continue
        made = _learner_arrays(learner, meta.weights, tasks, form)
        for label in entry.labels:
            steps[label] = learner.answer_step(meta)
            arrays |= {f"{label}/{trace}": array for trace, array in made.items()}
    info = {
        **{"form": form, "tasks": len(which), "which": list(which)},
        **{"condition": asdict(condition.condition), "answers": steps},
        **{"judge": reference_label(context), "judged": asdict(judged.condition)},
        "online": isinstance(tasks, EpisodeBatch) and tasks.online,
    }
    if form:
        yield Artefact(name, "film", arrays, info)


def _tasks_to_show(condition: MetaTestCondition, state: RunState) -> dict[str, int]:
    """Return a condition's tasks to show by rank, those that were noted."""
    noted = state.shown.get(condition.condition, {})
    return {word: noted[word] for word in WORDS if word in noted}


def draw_shown_tasks(
    context: RunContext, condition: MetaTestCondition, places: Sequence[int]
) -> TaskBatch:
    """Draw some test tasks of the first replicate, each from its own stream."""
    stream = context.streams("test", 0)[0]
    rngs = [stream.child(place) for place in places]
    alone = context.batch_spec._replace(replicates=1)
    return condition.setting.family.draw(condition.setting, rngs, "test", alone)


def few_shot_form(tasks: TaskBatch) -> str:
    """Return what can be drawn: curves of a function, examples, or nothing ("")."""
    if not isinstance(tasks, EpisodeBatch):
        return ""
    if tasks.has_classes:
        return EPISODE
    return ADAPTATION if tasks.truth is not None else ""


def _given_arrays(tasks: TaskBatch, form: str) -> Arrays:
    """Return the arrays of the tasks themselves."""
    if not isinstance(tasks, EpisodeBatch) or not form:
        return {}
    if form == EPISODE:
        return _examples(tasks)
    return function_arrays(tasks)


def _learner_arrays(
    learner: FewShotLearner, weights: Weights, tasks: TaskBatch, form: str
) -> Arrays:
    """Return the arrays of one learner's predictions."""
    assert isinstance(tasks, EpisodeBatch)
    if form == EPISODE:
        return _answers(answer_prediction(learner, weights, tasks), tasks)
    grown = curves_over_examples(learner, weights, tasks)
    return curves_over_steps(learner, weights, tasks) | {
        f"examples/{name}": array for name, array in grown.items()
    }


# classification ---------------------------------------------------------------
def _examples(tasks: EpisodeBatch) -> Arrays:
    """Return support and queries, as many per class as the film has room for."""
    support, query = _shown_indices(tasks)
    given: Arrays = {
        "support_y": to_numpy(tasks.support.y[:, support]),
        "query_y": to_numpy(tasks.query.y[:, query]),
    }
    x, held = tasks.support.x[..., support], tasks.query.x[..., query]
    if len(tasks.shape) == 3:
        every = torch.cat([x, held], 2).mT
        both = image_bytes(every.reshape(*every.shape[:2], *tasks.shape))
        given |= {"support": both[:, : len(support)], "query": both[:, len(support) :]}
        return given
    return given | {"support_x": to_numpy(x.mT), "query_x": to_numpy(held.mT)}


def _answers(prediction: Prediction, tasks: EpisodeBatch) -> Arrays:
    """Return the predicted class of each query, −1 if an output is not finite."""
    answer = chosen_class(prediction.query_outputs)
    answer = answer.masked_fill(~prediction.query_outputs.isfinite().all(1), -1)
    right = (answer == tasks.query.y).to(torch.float32).mean(1)
    _, query = _shown_indices(tasks)
    return {
        "answer": to_numpy(answer[:, query]),
        "accuracy": to_numpy(right),
    }


def _shown_indices(tasks: EpisodeBatch) -> tuple[list[int], list[int]]:
    """Return which support examples and queries are shown."""
    first = leading_examples(tasks.support.y, MOST_SHOTS)
    left = (ROOM // display_bytes(tasks.shape) - len(first)) // max(1, tasks.outputs)
    return first, leading_examples(tasks.query.y, min(MOST_QUERIES, max(1, left)))


FILM_RECORDERS[FEW_SHOT.name] = FilmRecorder(film_few_shot, remember=note_shown_tasks)
