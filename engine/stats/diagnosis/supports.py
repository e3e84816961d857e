"""Detectors of how few-shot answers depend on the support's order and length."""

from collections.abc import Iterator

import numpy as np

from engine.contract.events import Condition
from engine.contract.run_spec import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import IN_DISTRIBUTION, BlockTable
from engine.stats.diagnosis.finding import Finding
from engine.stats.diagnosis.probe_errors import mean_and_error
from engine.stats.task_metrics.few_shot import WORST
from engine.stats.verdicts.wording import format_number

ORDERLY = 0.1  # spread over orders, relative to the error
SURE = 3.0  # standard errors


def order_sensitivity(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """35: the answers depend on the order of the support, which tells nothing."""
    for learner in spec.learners:
        spread = table.test_values(learner.label, "order_spread")
        if spread is None or not np.isfinite(spread).any():
            continue
        mean = float(np.nanmean(spread))
        yield Finding(
            35,
            "Order sensitivity",
            learner.label,
            flagged=mean > ORDERLY,
            evidence="When the same support comes in another order, its answers spread "
            f"by {mean:.0%} of their error (standard deviation over orders, mean over "
            f"{spread.size} episodes).",
            remedy="Shuffle the support in meta-training, average over several orders, "
            "or use a learner that reads the support as a set.",
        )


def hidden_targets(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """3: answers change with targets that a learner must not see."""
    for learner in spec.learners:
        moved = table.test_values(learner.label, "own_target_matters")
        if moved is None:
            continue
        yield Finding(
            3,
            "Target leakage",
            learner.label,
            flagged=bool((moved > 0).any()),
            evidence=f"In {int((moved > 0).sum())} of {moved.size} episodes answers "
            "change, if only in the last bit, with another target of the query itself "
            "or, where examples come one by one, with those of later ones.",
            remedy="Find what passes targets on: a token that holds its own label, or "
            "a mask that is one too wide.",
        )


def longer_contexts(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """36: with more examples than any training episode had, answers are worse."""
    for learner in spec.learners:
        longest = _longest_test(table, learner.label)
        if longest is None:
            continue
        where, length, trained = longest
        before = _measured_errors(table, learner.label, IN_DISTRIBUTION)
        after = _measured_errors(table, learner.label, where)
        if before is None or after is None or before.shape != after.shape:
            continue
        rise = after - before  # the tasks have the same streams, so pairs are compared
        rise = rise[np.isfinite(rise)]
        if not rise.size:
            continue
        found = mean_and_error(rise)
        yield Finding(
            36,
            "Longer than in training",
            learner.label,
            flagged=found.mean > 0 and found.mean > SURE * found.error,
            evidence=f"Trained on {trained:g} examples{_of_each_class(table)}; tested "
            f"on {length:g}, its error changes by {format_number(found.mean)} ± "
            f"{format_number(found.error)} (standard error).",
            remedy="Train on supports as long as those of the tests, or of random "
            "length.",
        )


def _longest_test(
    table: BlockTable, label: str
) -> tuple[Condition, float, float] | None:
    """Return the condition with the longest support, its length and that in training.

    None if no test has a longer support than training, or none was trained.
    """
    trained = table.number(label, "train", "context_length")
    lengths = {
        block.condition: float(block.array)
        for block in table.blocks
        if (block.learner, block.phase) == (label, "test")
        and block.metric == "context_length"
    }
    if trained is None or not lengths:
        return None
    where = max(lengths, key=lambda condition: lengths[condition])
    if lengths[where] <= max(trained, lengths.get(IN_DISTRIBUTION, 0.0)):
        return None
    return where, lengths[where], trained


def _measured_errors(
    table: BlockTable, label: str, condition: Condition
) -> Floats | None:
    """Return the error per task, NaN where a squared error is at its cap."""
    errors = table.test_values(label, "error", condition)
    if errors is None or table.criterion.share:
        return errors
    return np.where(errors < WORST["query_mse"], errors, np.nan)


def _of_each_class(table: BlockTable) -> str:
    return " of each class" if table.criterion.share else ""
