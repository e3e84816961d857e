"""Judges of claims on optimizers: LR-scale and tuned SGD, by losses and gradients."""

from collections.abc import Callable, Sequence

import numpy as np

from engine.contract.events import Condition
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_spec import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import IN_DISTRIBUTION, PER_STEP, BlockTable
from engine.stats.claims_board.study_verdict import (
    FinishedRun,
    Measurement,
    StudyVerdict,
    judge_measurements,
    mean_over_units,
    percent_saved,
    undecided_verdict,
)
from engine.stats.inference.intervals import Interval
from engine.stats.verdicts.wording import learner_names

LEARNED, SGD, ADAM = "lr_scale", "sgd_tuned", "adam_tuned"
LEAST = 1e-12  # a gradient may be exactly 0, its log may not
LOSS, CHANGE, SPREAD = "% of the loss saved", "% steadier", "% smaller spread"
Measure = Callable[[BlockTable, str, Condition], Floats | None]


def judge_shifted_tasks(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the losses of LR-scale and of tuned SGD under each shift."""
    deciding = _on_all(runs, (LEARNED, SGD), log_losses, LOSS, shifted=True)
    if not deciding:
        return undecided_verdict("no shift was tested")
    beside = _on_all(runs, (LEARNED, SGD), log_losses, LOSS)
    for pair in ((LEARNED, ADAM), (SGD, ADAM)):
        beside += _on_all(runs, pair, log_losses, LOSS, shifted=True)
    return judge_measurements(deciding, beside)


def judge_steady_gradients(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the changes of the gradient norm under each shift."""
    pair = (LEARNED, SGD)
    deciding = _on_all(runs, pair, log_unsteadiness, CHANGE, shifted=True)
    if not deciding:
        return undecided_verdict("no shift was tested")
    beside = _on_all(runs, pair, log_unsteadiness, CHANGE)
    beside += _on_all(runs, pair, log_spread, SPREAD, shifted=True)
    return judge_measurements(deciding, beside)


def judge_plain_sgd(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the losses of tuned SGD and of LR-scale on each family."""
    deciding = _on_all(runs, (SGD, LEARNED), log_losses, LOSS)
    if not runs or len(deciding) < len(runs):
        return undecided_verdict("an optimizer was not tested")
    return judge_measurements(deciding, _on_all(runs, (SGD, ADAM), log_losses, LOSS))


def _on_all(
    runs: Sequence[FinishedRun],
    pair: tuple[str, str],
    measure: Measure,
    unit: str,
    *,
    shifted: bool = False,
) -> list[Measurement]:
    """Compare two learners in distribution, or under every shift, of every run.

    Args:
        runs: The runs.
        pair: Label of the learner that the claim favors, and of the other.
        measure: Log of what is compared, one number of each replicate.
        unit: Unit of what is saved.
        shifted: Whether under the shifts, rather than in distribution.

    Returns:
        One for each run and condition where both were tested.
    """
    found = []
    for run in runs:
        table = BlockTable(run.blocks, run.spec.kind)
        places = [c for c in table.conditions() if c.shift]
        for at in places if shifted else [IN_DISTRIBUTION]:
            gap = _gap(table, pair, measure, at)
            if gap is not None:
                title = _title(run.spec, pair, at)
                found.append(Measurement(title, percent_saved(gap), unit))
    return found


def _title(spec: RunSpec, pair: tuple[str, str], at: Condition) -> str:
    names = learner_names(spec)
    shifted = f"{name_in_words(at.shift)} {at.severity:g}"
    where = shifted if at.shift else name_in_words(spec.family.name)
    return f"{names[pair[0]]} against {names[pair[1]]}, {where}"


def _gap(
    table: BlockTable, pair: tuple[str, str], measure: Measure, at: Condition
) -> Interval | None:
    mine, other = (measure(table, label, at) for label in pair)
    if mine is None or other is None:
        return None
    return mean_over_units(mine - other)


def log_losses(table: BlockTable, label: str, at: Condition) -> Floats | None:
    """Return a learner's log loss, by the metric that decides in this kind of task.

    Args:
        table: The run's blocks.
        label: The learner.
        at: Where it was tested.

    Returns:
        Mean over tasks, ln nats; shape (replicate,). None if it was not tested.
    """
    rows = table.test_values(label, table.criterion.deciding, at)
    return None if rows is None else np.asarray(rows.mean(axis=1))


def log_unsteadiness(table: BlockTable, label: str, at: Condition) -> Floats | None:
    """Return the log of the root mean square change of the log gradient norm.

    Args:
        table: The run's blocks.
        label: The learner.
        at: Where it was tested.

    Returns:
        Over all tasks and steps before a divergence; shape (replicate,). None if the
        gradients were not recorded.
    """
    logs = _log_norms(table, label, at)
    if logs is None:
        return None
    squares = np.diff(logs, axis=2) ** 2
    # Half the log of the mean square is the log of its root.
    return np.asarray(0.5 * np.log(np.maximum(np.nanmean(squares, (1, 2)), LEAST)))


def log_spread(table: BlockTable, label: str, at: Condition) -> Floats | None:
    """Return the log of the standard deviation of the log gradient norm.

    Arguments and result as of `log_unsteadiness`.
    """
    logs = _log_norms(table, label, at)
    if logs is None:
        return None
    return np.asarray(np.log(np.maximum(np.nanstd(logs, axis=(1, 2)), LEAST)))


def _log_norms(table: BlockTable, label: str, at: Condition) -> Floats | None:
    """Return ln of the gradient norm; (replicate, task, step), NaN once diverged."""
    norms = table.test_values(label, "grad_norm", at, PER_STEP)
    return None if norms is None else np.log(np.maximum(norms, LEAST))
