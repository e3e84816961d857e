"""The main rival: the baseline whose comparison with a learner decides.

It is named in the spec, or is the strongest tuned baseline. Strength is measured before
the test, on tuning or validation tasks: a rival chosen by test results would be the
luckiest one, and beating it would mean something else in every run.
"""

import numpy as np

from engine.contract.events import Block
from engine.contract.learner_appearance import appearances
from engine.contract.metrics import metric
from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import (
    BlockTable,
    baseline_learners,
    chosen_learners,
    has_tuning,
    is_control,
    is_trained,
    is_tuned,
)
from engine.stats.task_metrics.optimization import clamped_log


def main_rival(table: BlockTable, spec: RunSpec, learner: LearnerChoice) -> str | None:
    """Return the label of the rival that decides about a learner.

    Args:
        table: The run's blocks.
        spec: The run. A rival that it names decides about the first chosen learner; if
            it is a baseline, also about the others.
        learner: A chosen learner.

    Returns:
        The label; None if no baseline was tested.
    """
    first = learner == chosen_learners(spec)[0]
    baselines = {baseline.label for baseline in baseline_learners(spec)}
    if spec.rival and (first or spec.rival in baselines):
        return spec.rival
    return strongest_baseline(table, spec)


def main_rivals(
    table: BlockTable, spec: RunSpec, learner: LearnerChoice
) -> set[str | None]:
    """Return the main rival and the strongest baseline: who wins is never left out."""
    return {main_rival(table, spec, learner), strongest_baseline(table, spec)}


def _is_bound(baseline: LearnerChoice) -> bool:
    """Return whether a baseline knows what no learner can know."""
    known = appearances().get(baseline.name)
    return known is not None and known.is_bound


def strongest_baseline(table: BlockTable, spec: RunSpec) -> str | None:
    """Return the label of the tuned baseline with the best score before the test.

    A trained baseline without a rate counts as tuned. An untuned baseline, also one
    that has nothing to tune, is taken only if no other was tested; a negative
    control, or a bound that nothing can beat, last of all. Where nothing is tuned in
    this kind of task, all are equals.

    Args:
        table: The run's blocks.
        spec: The run.

    Returns:
        The label; None if no baseline was tested.
    """
    deciding = table.criterion.deciding
    tested = [
        baseline
        for baseline in baseline_learners(spec)
        if table.test_values(baseline.label, deciding) is not None
    ]
    ranked = sorted(
        tested,
        key=lambda baseline: (
            is_control(baseline) or _is_bound(baseline),
            not _had_its_chance(table, spec, baseline),
            score_before_test(table, spec, baseline.label),
        ),
    )
    return ranked[0].label if ranked else None


def score_before_test(table: BlockTable, spec: RunSpec, label: str) -> float:
    """Return a learner's score before the test; less is better.

    That is its mean tuning score at the best rate, else its best validation score, else
    its curve on validation tasks. Only the first batch of replicates counts, so that
    the rival stays the same while replicates are added.

    Args:
        table: The run's blocks.
        spec: The run.
        label: The learner.

    Returns:
        In the unit of the tuning or validation metric; infinite if nothing was
        measured or all of it diverged.
    """
    metrics, batch = table.kind.metrics, spec.looks[0] if spec.looks else None
    tuning = table.block(label, "tune", metrics.tuning)
    if tuning is not None:
        return _best_option(tuning, batch)
    series = table.series(label, "validate", metrics.validation)
    if series is not None:
        return _mean_or_infinity(_lowest(series.values[:batch]))
    names = (table.criterion.trace, *metrics.checks)
    checks = (table.block(label, "validate", name) for name in names)
    shown = next((block for block in checks if block is not None), None)
    return float("inf") if shown is None else _curve_score(table, shown, batch)


def _had_its_chance(table: BlockTable, spec: RunSpec, baseline: LearnerChoice) -> bool:
    """Return whether a baseline was tuned, or trained without a rate to tune."""
    if has_tuning(baseline):
        return is_tuned(baseline)
    nothing_is_tuned = "tuning_tasks" in table.kind.no_budget
    return nothing_is_tuned or is_trained(table, spec, baseline.label)


def _best_option(block: Block, batch: int | None) -> float:
    """Return the mean over replicates of the best option's mean over tasks."""
    means = np.asarray(block.array, dtype=np.float64)  # NaN for rates not tried
    if "task" in block.axes:  # else the scores are means over tasks already
        means = means.mean(axis=block.axes.index("task"))
    if "replicate" not in block.axes:
        means = means[None]  # one search for all replicates
    return _mean_or_infinity(_lowest(means[:batch].reshape(len(means[:batch]), -1)))


def _curve_score(table: BlockTable, block: Block, batch: int | None) -> float:
    values = np.asarray(block.array, dtype=np.float64)[:batch]
    if block.metric != table.criterion.trace:
        worse = -metric(block.metric).direction
        return worse * _mean_or_infinity(values[:, -1])
    logarithmic = metric(block.metric).mean == "geometric"
    return _mean_or_infinity(clamped_log(values) if logarithmic else values)


def _lowest(values: Floats) -> Floats:
    return np.asarray(np.where(np.isnan(values), np.inf, values).min(axis=1))


def _mean_or_infinity(values: Floats) -> float:
    mean = float(np.mean(values))
    return mean if np.isfinite(mean) else float("inf")
