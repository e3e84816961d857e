"""Films of tasks with a known function: predictions on its grid.

A learner is shown over its inner steps, on the whole support, and over the examples: at
its answer, on the first 1, 2, … examples of the support.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.protocol import EpisodeBatch, ExampleBatch, Meta, Prediction, Weights
from engine.protocol.member_chunks import broadcast_to_members
from engine.tasks.few_shot._display import to_numpy

FRAMES = 25  # over inner steps, at most; and the answer
COUNTS = 12  # over examples, at most
SAMPLES = 5  # functions that are drawn of a mixture, at most
BAND = 0.9  # probability of the predictive band
Arrays = dict[str, np.ndarray]


def function_arrays(tasks: EpisodeBatch) -> Arrays:
    """Return the arrays of the tasks themselves: the function and the support."""
    assert tasks.truth is not None
    return {
        "x": to_numpy(tasks.truth[0, 0]),
        "truth": to_numpy(tasks.truth[:, 1]),
        "support_x": to_numpy(tasks.support.x[:, 0]),
        "support_y": to_numpy(tasks.support.y),
    }


def curves_over_steps(
    learner: FewShotLearner, weights: Weights, tasks: EpisodeBatch
) -> Arrays:
    """Return a learner's curves after its inner steps, and their error on the queries.

    Args:
        learner: The learner.
        weights: Its meta-weights, of one replicate.
        tasks: The tasks that are filmed.
    """
    theta = broadcast_to_members(weights, tasks.members)
    curves = list(learner.predictions(theta, _on_grid(tasks)))
    points = learner.predictions(theta, tasks)
    answer = learner.answer_step(Meta(weights, {}))
    kept = frame_positions([p.step for p in curves], answer)
    mse = torch.stack([_squared_error(p, tasks) for p in points], 1)
    shown = [curves[i].query_outputs[:, 0] for i in kept]
    return {
        "steps": np.array([curves[i].step for i in kept], np.int64),
        "curve": to_numpy(torch.stack(shown, 1)),
        "mse": to_numpy(mse[:, kept]),
    }


def curves_over_examples(
    learner: FewShotLearner, weights: Weights, tasks: EpisodeBatch
) -> Arrays:
    """Return a learner's answers on the first examples of the support.

    Args:
        learner: The learner.
        weights: Its meta-weights, of one replicate.
        tasks: The tasks that are filmed.

    Returns:
        `counts`, how many examples it saw, shape (frame,); `curve`, (task, frame,
        point), and `mse`, (task, frame). Of a learner with a density also the ends of
        the band, `low` and `high`, as `curve`; of one with several components some of
        their means, `samples`, shape (task, frame, sample, point).
    """
    meta = Meta(weights, {})
    parts = [(n, tasks.first_shots(n)) for n in shown_counts(tasks.support.count)]
    fitting = [(n, some) for n, some in parts if not learner.why_not(meta, some)]
    frames = [_answer_frame(learner, weights, some) for _, some in fitting]
    if not frames:
        return {}
    arrays = {name: np.stack([f[name] for f in frames], 1) for name in frames[0]}
    return arrays | {"counts": np.array([n for n, _ in fitting], np.int64)}


def _answer_frame(
    learner: FewShotLearner, weights: Weights, tasks: EpisodeBatch
) -> Arrays:
    """Return the answer's curve, its error, and its band if it has one."""
    curve = answer_prediction(learner, weights, _on_grid(tasks))
    points = answer_prediction(learner, weights, tasks)
    arrays = {
        "curve": to_numpy(curve.query_outputs[:, 0]),
        "mse": to_numpy(_squared_error(points, tasks)),
    }
    if curve.density is None:
        return arrays
    low, high = curve.density.central_interval(BAND)
    arrays |= {"low": to_numpy(low), "high": to_numpy(high)}
    if curve.density.mean.shape[1] > 1:
        arrays["samples"] = to_numpy(curve.density.mean[:, :SAMPLES])
    return arrays


def answer_prediction(
    learner: FewShotLearner, weights: Weights, tasks: EpisodeBatch
) -> Prediction:
    """Return the prediction that is scored.

    Args:
        learner: The learner.
        weights: Its meta-weights, of one replicate.
        tasks: Tasks of this replicate.
    """
    theta = broadcast_to_members(weights, tasks.members)
    answer = learner.answer_step(Meta(weights, {}))
    return next(p for p in learner.predictions(theta, tasks) if p.step == answer)


def _on_grid(tasks: EpisodeBatch) -> EpisodeBatch:
    """Return the tasks with the points of the grid as queries."""
    assert tasks.truth is not None
    grid = ExampleBatch(tasks.truth[:, :1], tasks.truth[:, 1])
    return replace(tasks, query=grid, online=False)


def _squared_error(prediction: Prediction, tasks: EpisodeBatch) -> Tensor:
    return tasks.each_loss(prediction.query_outputs, tasks.query.y).mean(1)


def frame_positions(steps: Sequence[int], answer: int) -> list[int]:
    """Return which positions are frames: first, last and the answer among them.

    Args:
        steps: Inner step of each position.
        answer: The inner step whose prediction counts.

    >>> frame_positions([0, 1, 2], 1), frame_positions(list(range(101)), 7)[:4]
    ([0, 1, 2], [0, 4, 7, 8])
    """
    return sorted({*_evenly(len(steps), FRAMES), steps.index(answer)})


def shown_counts(support: int) -> list[int]:
    """Return the numbers of examples that are frames, the first and all among them.

    >>> shown_counts(4), shown_counts(50)[:4]
    ([1, 2, 3, 4], [1, 5, 10, 14])
    """
    return [i + 1 for i in _evenly(support, COUNTS)]


def _evenly(count: int, most: int) -> list[int]:
    places = np.linspace(0, count - 1, min(most, count)).round()
    return sorted({int(place) for place in places})
