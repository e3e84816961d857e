"""Judges of claims on few-shot learners: pairs of learners, and task diversity."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable
from engine.stats.claims_board.study_verdict import (
    FinishedRun,
    StudyVerdict,
    VerdictRow,
    mean_over_units,
    percent_saved,
    table_row,
    undecided_verdict,
    verdict_by_sign,
    verdict_on_all,
)
from engine.stats.inference.intervals import Interval, scale_interval
from engine.stats.verdicts.wording import format_number

LOG_SCORE = "nll"
BASE, META = "from_scratch", "maml"


class Pair(NamedTuple):
    """Two learners of a run that are compared.

    Args:
        learner: Label of the one that the claim favors.
        against: Label of the other.
        metric: What they are compared by; lower is better.
        within: Factor by which the learner's error may exceed the other's.
    """

    learner: str
    against: str
    metric: str = "error"
    within: float = 1.0

    @property
    def limit(self) -> float:
        """Return the largest gap at which the claim holds, as `gap` measures it."""
        return math.log(self.within)

    def title(self) -> str:
        """Return what is compared, for a table."""
        return f"{self.metric} of {self.learner} against {self.against}"


# By study: the pairs that decide, and those that stand beside them.
PAIRS: dict[str, tuple[tuple[Pair, ...], tuple[Pair, ...]]] = {
    "online_labels": ((Pair("mann", META), Pair("recurrent", META)), ()),
    "doubt": (
        (Pair("neural_process", META, LOG_SCORE), Pair("deep_kernel", META, LOG_SCORE)),
        (Pair("neural_process", META), Pair("deep_kernel", META)),
    ),
    "context_parameters": (
        (Pair("two", "five", within=1.25),),
        (Pair("one", "five"), Pair("two", "one")),
    ),
    "in_context": ((Pair("transformer", "bayes_linear", within=1.25),), ()),
    "mixture": ((Pair("clustered_maml", META),), ()),
}


def pair_judge(name: str) -> Callable[[Sequence[FinishedRun]], StudyVerdict]:
    """Return the judge of a study of pairs.

    Args:
        name: A key of `PAIRS`.
    """
    deciding, beside = PAIRS[name]

    def judge(runs: Sequence[FinishedRun]) -> StudyVerdict:
        if not runs:
            return undecided_verdict("nothing was run")
        run = runs[0]  # the only one
        table = BlockTable(run.blocks, run.spec.kind)
        gaps = [measure_gap(table, pair) for pair in deciding]
        found = [gap for gap in gaps if gap is not None]
        if len(found) < len(deciding):
            return undecided_verdict("a learner was not tested")
        shown = [measure_gap(table, pair) for pair in beside]
        extra = [(p, g) for p, g in zip(beside, shown, strict=True) if g is not None]
        return _judge_pairs([*zip(deciding, found, strict=True)], extra)

    return judge


def measure_gap(table: BlockTable, pair: Pair) -> Interval | None:
    """Return how much worse the learner is than the other, over replicates.

    Args:
        table: The run's blocks.
        pair: What is compared.

    Returns:
        The difference of log-likelihoods in nats, or the log of the ratio of errors;
        None where a learner was not tested.
    """
    rows = [table.test_values(at, pair.metric) for at in (pair.learner, pair.against)]
    if rows[0] is None or rows[1] is None:
        return None
    mine, other = (row.mean(axis=1) for row in rows if row is not None)
    if pair.metric == LOG_SCORE:
        return mean_over_units(mine - other)
    return mean_over_units(_log_ratio(mine, other))


def _log_ratio(mine: Floats, other: Floats) -> Floats:
    least = np.finfo(np.float64).tiny  # a replicate may be without any error
    return np.asarray(np.log(np.maximum(mine, least) / np.maximum(other, least)))


def _judge_pairs(
    deciding: Sequence[tuple[Pair, Interval]], beside: Sequence[tuple[Pair, Interval]]
) -> StudyVerdict:
    """Judge by all deciding pairs; the one that speaks least for the claim is told."""
    verdict = verdict_on_all([_margin(pair, gap) for pair, gap in deciding])
    pair, gap = min(deciding, key=lambda each: _margin(*each).mean)
    shown, unit = _in_words(pair, gap)
    mean, low, high = (format_number(value) for value in shown[:3])
    reason = (
        f"{pair.title().capitalize()}: {mean} [{low}, {high}] {unit}, over {shown.n} "
        "trainings."
    )
    rows = tuple(_row(*each) for each in (*deciding, *beside))
    line = -100.0 * (pair.within - 1.0)
    claimed = (line,) if pair.within > 1 else ()
    return StudyVerdict(verdict, *shown[:3], unit, reason, rows, claimed)


def _margin(pair: Pair, gap: Interval) -> Interval:
    """Return by how much a gap stays below its limit; above 0 the claim holds."""
    return scale_interval(gap, -1.0, pair.limit)


def _in_words(pair: Pair, gap: Interval) -> tuple[Interval, str]:
    """Return what the learner gains, and its unit."""
    if pair.metric == LOG_SCORE:
        return scale_interval(gap, -1.0), "nats gained per query"
    return percent_saved(gap), "% of the error saved"


def _row(pair: Pair, gap: Interval) -> VerdictRow:
    shown, unit = _in_words(pair, gap)
    return table_row(f"{pair.title()}, {unit}", shown)


def judge_diversity(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by how MAML's relative error falls with the number of training tasks."""
    gaps: dict[int, Floats] = {}
    for run in runs:
        table = BlockTable(run.blocks, run.spec.kind)
        pair = [table.test_values(at, "error") for at in (META, BASE)]
        if pair[0] is None or pair[1] is None:
            return undecided_verdict("a learner was not tested")
        mine, other = (rows.mean(axis=1) for rows in pair if rows is not None)
        gaps[int(run.spec.family.knobs.get("train_tasks", 0))] = _log_ratio(mine, other)
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


def _count(tasks: int) -> str:
    if not tasks:
        return "new tasks always"
    return f"{tasks} training task{'s' * (tasks > 1)}"
