"""All probes of a few-shot learner, on the first test episodes of each replicate."""

from collections.abc import Iterator

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.contract.events import Event
from engine.protocol import Learner, Meta
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.leak_probes import leak_probe_answers, probe_leaks
from engine.runner.probe_answers import draw_probe_tasks
from engine.runner.state import RunState
from engine.runner.support_probes import probe_support, support_probe_answers
from engine.runner.training_class_probes import (
    probe_training_classes,
    training_class_answers,
)


def probe_cost(context: RunContext, learner: Learner) -> float:
    """Return how many gradient evaluations a learner's probes take, for progress."""
    each = learner.gradients_per_test(context.spec.budget.horizon)
    answers = (leak_probe_answers, support_probe_answers, training_class_answers)
    asked = sum(count(context) for count in answers)
    return asked * context.spec.replicates * each


def probe_learner(
    context: RunContext, entry: LearnerEntry, state: RunState
) -> Iterator[Event]:
    """Probe a learner, unless it cannot take the episodes.

    Args:
        context: The run.
        entry: The learner.
        state: Holds its frozen meta-weights.

    Yields:
        Notes and blocks with a row for each task.
    """
    tasks, learner = draw_probe_tasks(context), entry.learner
    weights = state.metas[entry.label]
    if not isinstance(learner, FewShotLearner):
        return
    if learner.why_not(Meta(weights, {}), tasks):
        return
    yield from probe_leaks(context, entry, weights, tasks)
    yield from probe_support(context, entry, weights, tasks)
    yield from probe_training_classes(context, entry, weights)
