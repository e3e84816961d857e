"""The spread of a learner that only predicts values, fixed before the tests.

Such a learner has no density that could be scored. It is given a normal one around its
prediction, whose variance is its mean squared residual on validation episodes at its
answer step. It is frozen along with the learner, so that it stays as it is under shifts
and on other families.
"""

from collections.abc import Iterator

import numpy as np
import torch

from engine.contract.events import Block, Event
from engine.judges.few_shot import answer_errors
from engine.protocol import EpisodeBatch, TraceSegment
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.state import RunState
from engine.runner.validation import adapt_in_chunks, draw_validation_tasks
from engine.stats.task_metrics.few_shot import WORST


def fix_residual_variance(
    context: RunContext, entry: LearnerEntry, state: RunState
) -> Iterator[Event]:
    """Fix the variance of a learner's residuals, unless it came with its weights.

    Args:
        context: The run.
        entry: A learner with its final meta-weights.
        state: Holds these weights; gets the variance of each replicate.

    Yields:
        Notes and the variance; nothing for classes, and if it has its own density.
    """
    known = state.learner(entry.label)
    if known.residual_variance is None:
        tasks = draw_validation_tasks(context)
        if not isinstance(tasks, EpisodeBatch) or tasks.has_classes:
            return
        found = yield from adapt_in_chunks(
            entry.learner, state.metas[entry.label], tasks, f"spread {entry.label}"
        )
        if "residual" not in (found.answers or {}):
            return
        known.residual_variance = _mean_squares(found, context.spec.replicates)
    rows = np.array(known.residual_variance)
    yield Block(entry.label, "validate", "residual_variance", ("replicate",), rows)


def _mean_squares(trace: TraceSegment, replicates: int) -> list[float]:
    """Return the mean squared error of each replicate at the learner's answer."""
    error = answer_errors(trace).double()
    worst = WORST["query_mse"]
    # Diverged episodes count as the worst, as in the error of a test.
    kept = torch.nan_to_num(error, worst, worst).clamp(max=worst)
    return [float(each) for each in kept.view(replicates, -1).mean(1)]
