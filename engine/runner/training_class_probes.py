"""Probe of memorization: training classes whose support labels are shuffled.

A learner that knows its training classes by heart classifies them without a support
that tells them apart; on new classes it is at chance, which by itself proves nothing.
"""

import math
from collections.abc import Iterator

from engine.contract.events import Event
from engine.protocol import EpisodeBatch, Weights
from engine.runner.blind_answers import blind_errors
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.probe_answers import (
    answer_in_chunks,
    query_errors,
    shuffle_labels,
    task_block,
)

ANSWERS = 1000  # that are enough, of each replicate
FEWEST, TYPICAL, MOST = 4, 16, 64  # episodes of each replicate


def training_class_answers(context: RunContext) -> int:
    """Return about how many episodes of a replicate this probe answers."""
    return 2 * min(TYPICAL, context.spec.budget.test_tasks)


def probe_training_classes(
    context: RunContext, entry: LearnerEntry, weights: Weights
) -> Iterator[Event]:
    """Test a learner on fresh episodes of its training classes.

    Nothing is tested where there are no classes, or if the learner was not trained on
    those of this run.

    Args:
        context: The run.
        entry: The learner.
        weights: Its frozen meta-weights.

    Yields:
        Notes and one error per task: of the learner with true and with shuffled support
        labels, and of answers that ignore the inputs.
    """
    if not entry.learner.trains or entry.label in context.spec.inputs:
        return
    tasks = _draw_training_episodes(context)
    if not tasks.has_classes:
        return
    blind = blind_errors(tasks).cpu().numpy()
    yield task_block(entry.label, "known_classes_blind_error", blind, tasks)
    asked = {
        "known_classes_error": tasks,
        "known_classes_shuffled_error": shuffle_labels(context, tasks),
    }
    for name, changed in asked.items():
        out = yield from answer_in_chunks(entry, weights, changed)
        error = query_errors(out, changed).mean(1).cpu().numpy()
        yield task_block(entry.label, name, error, tasks)


def _draw_training_episodes(context: RunContext) -> EpisodeBatch:
    """Draw fewer where episodes are large: those of 60 classes take much memory."""

    def draw(count: int) -> EpisodeBatch:
        path = ("probe", "training classes")
        tasks = context.draw(context.setting, "train", path, count)
        assert isinstance(tasks, EpisodeBatch)
        return tasks

    enough = math.ceil(ANSWERS / draw(1).query.count)
    bounded = min(max(enough, FEWEST), MOST)
    return draw(min(bounded, context.spec.budget.test_tasks))
