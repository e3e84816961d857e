"""Few-shot tasks shown: the worst, the median and the best of the test.

A picture is made of a handful of test tasks, drawn again by their own streams: what
was tested is what is shown, whoever resumes the run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.few_shot.learner import FewShotLearner
from engine.contract.blocks import Artefact, Block, Event, Note
from engine.contract.kinds import FEW_SHOT
from engine.protocol import (
    Episodes,
    Meta,
    Prediction,
    Shots,
    TaskBatch,
    Weights,
    chosen_class,
)
from engine.protocol.chunks import rows_of, spread
from engine.runner.context import Bench, Trial, labels_of
from engine.runner.films import FILMS, Filmed
from engine.runner.state import Carry
from engine.tasks.few_shot._display import ROOM, leading, numbers, pixels, size

ADAPTATION, EPISODE = "adaptation", "episode"
FRAMES = 25
MOST_SHOTS, MOST_QUERIES = 5, 15  # of a class, in a picture
WORDS = ("only", "worst", "median", "best")  # in the order in which they are shown
Arrays = dict[str, np.ndarray]


def remember(bench: Bench, event: Event, carry: Carry) -> None:
    """Note which tasks the first chosen learner did worst, so-so and best on.

    The picture comes later and in another stage; the numbers go through a kill.
    """
    if not isinstance(event, Block) or event.metric != "error":
        return
    if judge_of(bench) in labels_of(bench, event.learner):
        carry.shown[event.condition] = places(np.asarray(event.array)[0])


def judge_of(bench: Bench) -> str:
    """Return the label of the learner whose errors say what is shown."""
    chosen = [c.label for c in bench.spec.learners if c.role == "chosen"]
    return (chosen or [bench.entrants[0].label])[0]


def places(errors: np.ndarray) -> dict[str, int]:
    """Return which tasks have the largest, the middle and the smallest error.

    >>> places(np.array([0.2, 0.9, 0.1, 0.3]))
    {'worst': 1, 'median': 0, 'best': 2}
    >>> places(np.array([0.2, 0.9]))
    {'worst': 1, 'best': 0}
    """
    order = [int(i) for i in np.argsort(errors, kind="stable")]
    if len(order) == 1:
        return {"only": order[0]}
    found = {"worst": order[-1], "median": order[(len(order) - 1) // 2]}
    if len(order) == 2:
        del found["median"]
    return found | {"best": order[0]}


def show(bench: Bench, trial: Trial, name: str, carry: Carry) -> Iterator[Event]:
    """Picture what every learner makes of the chosen tasks of the first replicate."""
    judged = trial if _remembered(trial, carry) else bench.trials()[0][0]
    which = _remembered(judged, carry)
    if not which:
        return
    tasks = shown_tasks(bench, trial, list(which.values()))
    form = form_of(tasks)
    arrays = _given(tasks, form)
    steps = {}
    for i, entrant in enumerate(bench.entrants):
        yield Note(name, i / len(bench.entrants), entrant.label)
        learner, weights = entrant.learner, carry.metas[entrant.label]
        meta = Meta(rows_of(weights, range(1)), {})
        if not form or not isinstance(learner, FewShotLearner):
            continue
        if learner.why_not(meta, tasks):
            continue
        made = _made(learner, meta.weights, tasks, form)
        for label in entrant.labels:
            steps[label] = learner.answer_step(meta)
            arrays |= {f"{label}/{trace}": array for trace, array in made.items()}
    info = {
        **{"form": form, "tasks": len(which), "which": list(which)},
        **{"condition": asdict(trial.condition), "answers": steps},
        **{"judge": judge_of(bench), "judged": asdict(judged.condition)},
    }
    if form:
        yield Artefact(name, "film", arrays, info)


def _remembered(trial: Trial, carry: Carry) -> dict[str, int]:
    """Return the tasks of a trial by what they are, as far as they were noted."""
    noted = carry.shown.get(trial.condition, {})
    return {word: noted[word] for word in WORDS if word in noted}


def shown_tasks(bench: Bench, trial: Trial, places: Sequence[int]) -> TaskBatch:
    """Draw some test tasks of the first replicate, each by its own stream."""
    stream = bench.streams("test", 0)[0]
    rngs = [stream.child(place) for place in places]
    alone = bench.place._replace(replicates=1)
    return trial.setting.family.draw(trial.setting, rngs, "test", alone)


def form_of(tasks: TaskBatch) -> str:
    """Return what can be pictured: curves over one input, examples, or nothing."""
    if not isinstance(tasks, Episodes):
        return ""
    if tasks.classes:
        return EPISODE
    return ADAPTATION if tasks.truth is not None else ""


def _given(tasks: TaskBatch, form: str) -> Arrays:
    """Return what all learners were given."""
    if not isinstance(tasks, Episodes) or not form:
        return {}
    if form == EPISODE:
        return _examples(tasks)
    assert tasks.truth is not None
    return {
        "x": numbers(tasks.truth[0, 0]),
        "truth": numbers(tasks.truth[:, 1]),
        "support_x": numbers(tasks.support.x[:, 0]),
        "support_y": numbers(tasks.support.y),
    }


def _made(
    learner: FewShotLearner, weights: Weights, tasks: TaskBatch, form: str
) -> Arrays:
    """Return what one learner made of it."""
    assert isinstance(tasks, Episodes)
    theta = spread(weights, tasks.members)
    answer = learner.answer_step(Meta(weights, {}))
    if form == EPISODE:
        found = next(p for p in learner.predict(theta, tasks) if p.step == answer)
        return _answers(found, tasks)
    assert tasks.truth is not None
    grid = replace(tasks, query=Shots(tasks.truth[:, :1], tasks.truth[:, 1]))
    curves, points = list(learner.predict(theta, grid)), learner.predict(theta, tasks)
    kept = frames([p.step for p in curves], answer)
    mse = torch.stack([_mse(p, tasks) for p in points], 1)
    return {
        "steps": np.array([curves[i].step for i in kept], np.int64),
        "curve": numbers(torch.stack([curves[i].query[:, 0] for i in kept], 1)),
        "mse": numbers(mse[:, kept]),
    }


def _mse(found: Prediction, tasks: Episodes) -> Tensor:
    return tasks.each_loss(found.query, tasks.query.y).mean(1)


def frames(steps: Sequence[int], answer: int) -> list[int]:
    """Return which positions are filmed: first, last and the answer among them.

    >>> frames([0, 1, 2], 1), frames(list(range(101)), 7)[:4]
    ([0, 1, 2], [0, 4, 7, 8])
    """
    even = np.linspace(0, len(steps) - 1, min(FRAMES, len(steps))).round()
    return sorted({int(i) for i in even} | {steps.index(answer)})


# classification ---------------------------------------------------------------
def _examples(tasks: Episodes) -> Arrays:
    """Return support and queries, at most so many of a class that they have room."""
    support, query = _shown(tasks)
    given: Arrays = {
        "support_y": numbers(tasks.support.y[:, support]),
        "query_y": numbers(tasks.query.y[:, query]),
    }
    x, held = tasks.support.x[..., support], tasks.query.x[..., query]
    if len(tasks.shape) == 3:
        every = torch.cat([x, held], 2).mT
        both = pixels(every.reshape(*every.shape[:2], *tasks.shape))
        given |= {"support": both[:, : len(support)], "query": both[:, len(support) :]}
        return given
    return given | {"support_x": numbers(x.mT), "query_x": numbers(held.mT)}


def _answers(found: Prediction, tasks: Episodes) -> Arrays:
    """Return the class that each query was given, −1 for an answer of no number."""
    answer = chosen_class(found.query)
    answer = answer.masked_fill(~found.query.isfinite().all(1), -1)
    right = (answer == tasks.query.y).to(torch.float32).mean(1)
    _, query = _shown(tasks)
    return {
        "answer": numbers(answer[:, query]),
        "accuracy": numbers(right),
    }


def _shown(tasks: Episodes) -> tuple[list[int], list[int]]:
    """Return which support examples and queries are shown."""
    first = leading(tasks.support.y, MOST_SHOTS)
    left = (ROOM // size(tasks.shape) - len(first)) // max(1, tasks.outputs)
    return first, leading(tasks.query.y, min(MOST_QUERIES, max(1, left)))


FILMS[FEW_SHOT.name] = Filmed(show, remember=remember)
