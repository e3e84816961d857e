"""Judges of how MAML's gain depends on an amount: of training tasks, of points."""

from collections.abc import Sequence

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable
from engine.stats.claims_board.few_shot import BASE, META, log_ratio
from engine.stats.claims_board.study_verdict import (
    FinishedRun,
    Measurement,
    StudyVerdict,
    judge_measurements,
    mean_over_units,
    percent_saved,
    table_row,
    undecided_verdict,
    verdict_by_sign,
)
from engine.stats.verdicts.wording import format_number

SAVED = "% of the error saved"


def judge_scarce_data(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by MAML's gain with the fewest points, and by how it shrinks with more."""
    gaps = _relative_errors(runs, "shots")
    if gaps is None:
        return undecided_verdict("a learner was not tested")
    if len(gaps) < 2:
        return undecided_verdict("too few numbers of points were run")
    few, *between, many = sorted(gaps)

    def gain(points: int) -> Measurement:
        title = f"error of MAML against from scratch, {points} points"
        return Measurement(title, percent_saved(mean_over_units(gaps[points])), SAVED)

    shrinks = percent_saved(mean_over_units(gaps[few] - gaps[many]))
    title = f"relative error with {few} points against that with {many}"
    return judge_measurements(
        [gain(few), Measurement(title, shrinks, SAVED)],
        [gain(points) for points in (*between, many)],
    )


def judge_diversity(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by how MAML's relative error falls with the number of training tasks."""
    gaps = _relative_errors(runs, "train_tasks")
    if gaps is None:
        return undecided_verdict("a learner was not tested")
    finite = sorted(n for n in gaps if n)
    if len(finite) < 2:
        return undecided_verdict("too few numbers of training tasks were run")
    at = np.log10(finite)
    slopes = np.polyfit(at, np.stack([gaps[n] for n in finite]), 1)[0]
    found = mean_over_units(-slopes)
    mean, low, high = (format_number(value) for value in found[:3])
    rows = [
        table_row(f"error saved by MAML, {_count(n)}, %", percent_saved(each))
        for n in (*finite, *([0] if 0 in gaps else []))
        for each in [mean_over_units(gaps[n])]
    ]
    return StudyVerdict(
        verdict_by_sign(found),
        *found[:3],
        "ln of the relative error, per tenfold tasks",
        f"Per tenfold number of training tasks MAML's error relative to from scratch "
        f"falls by {mean} [{low}, {high}] ln, over {found.n} trainings.",
        tuple(rows),
    )


def _relative_errors(
    runs: Sequence[FinishedRun], knob: str
) -> dict[int, Floats] | None:
    """Return MAML's log error relative to from scratch, by a knob of the family.

    Args:
        runs: One for each value of the knob.
        knob: Its name.

    Returns:
        Shape (replicate,) each; None if a learner was not tested.
    """
    gaps = {}
    for run in runs:
        table = BlockTable(run.blocks, run.spec.kind)
        mine, other = (table.test_values(at, "error") for at in (META, BASE))
        if mine is None or other is None:
            return None
        at = int(run.spec.family.knobs.get(knob, 0))
        gaps[at] = log_ratio(mine.mean(axis=1), other.mean(axis=1))
    return gaps


def _count(tasks: int) -> str:
    if not tasks:
        return "new tasks always"
    return f"{tasks} training task{'s' * (tasks > 1)}"
