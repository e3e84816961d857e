"""Judges of claims on few-shot learners: pairs of learners, by their errors."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable
from engine.stats.claims_board.study_verdict import (
    FinishedRun,
    Measurement,
    StudyVerdict,
    judge_measurements,
    mean_over_units,
    percent_saved,
    undecided_verdict,
)
from engine.stats.inference.intervals import Interval, scale_interval
from engine.stats.verdicts.wording import learner_names

LOG_SCORE = "nll"
BASE, META = "from_scratch", "maml"
NEARLY, AS_GOOD, HELPS = 1.25, 1.1, 0.95  # factors of the other's error


class Pair(NamedTuple):
    """Two learners that are compared, of one run or of two with the same tests.

    Args:
        learner: Label of the one that the claim favors.
        against: Label of the other.
        metric: What they are compared by; lower is better.
        within: Factor by which the learner's error may exceed the other's; below 1 it
            must be that much smaller.
        runs: Numbers of their runs, in the order of the study's specs.
        about: Where or how they are compared, for a table.
        against_metric: The other's metric, if it is another one.
    """

    learner: str
    against: str
    metric: str = "error"
    within: float = 1.0
    runs: tuple[int, int] = (0, 0)
    about: str = ""
    against_metric: str = ""

    @property
    def limit(self) -> float:
        """Return the smallest saving, in percent, for which the claim holds."""
        return round(100.0 * (1.0 - self.within), 9)  # 1.1 is not exact

    def title(self, learner: str, against: str) -> str:
        """Return what is compared, for a table.

        Args:
            learner: Name of the learner.
            against: Name of the other.
        """
        what = f"{self.metric if not self.against_metric else 'error'} of {learner}"
        if self.against != self.learner:
            what += f" against {against}"
        return what + (f", {self.about}" if self.about else "")


def _on_both(learner: str, within: float) -> tuple[Pair, Pair]:
    """Return a learner against MAML, on waves and on Gaussian classes."""
    return (
        Pair(learner, META, within=within, about="waves"),
        Pair(learner, META, within=within, runs=(1, 1), about="Gaussian classes"),
    )


def _statistics_pair(learner: str) -> Pair:
    about = "statistics of the queries against those of the support"
    return Pair(learner, learner, within=HELPS, runs=(0, 1), about=about)


def _alone_pair(learner: str) -> Pair:
    about = "all queries at once against one by one"
    metrics = ("together_error", "alone_error")
    return Pair(learner, learner, metrics[0], about=about, against_metric=metrics[1])


# By study: the pairs that decide, and those that stand beside them.
PAIRS: dict[str, tuple[tuple[Pair, ...], tuple[Pair, ...]]] = {
    "few_steps": (
        (Pair(META, "many_steps", within=NEARLY),),
        (Pair(META, BASE), Pair("many_steps", BASE)),
    ),
    "first_order": (_on_both("fomaml", NEARLY), ()),
    "head_only": (_on_both("anil", AS_GOOD), ()),
    "pretraining": (_on_both("fine_tune", AS_GOOD), ()),
    "more_ways": (
        (Pair("protonet", "protonet", runs=(0, 1), about="20 ways against 5"),),
        (
            Pair(
                "protonet",
                "protonet",
                runs=(0, 2),
                about="20 ways against 5 with a quarter of the examples",
            ),
        ),
    ),
    "batch_statistics": (
        (_statistics_pair(META), _statistics_pair("protonet")),
        (_alone_pair(META), _alone_pair("protonet")),
    ),
    "online_labels": ((Pair("mann", META), Pair("recurrent", META)), ()),
    "doubt": (
        (Pair("neural_process", META, LOG_SCORE), Pair("deep_kernel", META, LOG_SCORE)),
        (Pair("neural_process", META), Pair("deep_kernel", META)),
    ),
    "context_parameters": (
        (Pair("two", "five", within=NEARLY),),
        (Pair("one", "five"), Pair("two", "one")),
    ),
    "in_context": ((Pair("transformer", "bayes_linear", within=NEARLY),), ()),
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
        found = _measurements(runs, deciding)
        if len(found) < len(deciding):
            return undecided_verdict("a learner was not tested")
        return judge_measurements(found, _measurements(runs, beside))

    return judge


def _measurements(
    runs: Sequence[FinishedRun], pairs: Sequence[Pair]
) -> list[Measurement]:
    """Return what the pairs measured; those that were not tested are left out."""
    tables = [BlockTable(run.blocks, run.spec.kind) for run in runs]
    names = [learner_names(run.spec) for run in runs]
    gaps = [(pair, measure_gap(tables, pair)) for pair in pairs]
    return [_measurement(pair, gap, names) for pair, gap in gaps if gap is not None]


def _measurement(
    pair: Pair, gap: Interval, names: Sequence[dict[str, str]]
) -> Measurement:
    first, second = pair.runs
    title = pair.title(names[first][pair.learner], names[second][pair.against])
    if pair.metric == LOG_SCORE:
        return Measurement(title, scale_interval(gap, -1.0), "nats gained per query")
    return Measurement(title, percent_saved(gap), "% of the error saved", pair.limit)


def measure_gap(tables: Sequence[BlockTable], pair: Pair) -> Interval | None:
    """Return how much worse the learner is than the other, over replicates.

    Args:
        tables: The blocks of the study's runs.
        pair: What is compared.

    Returns:
        The difference of log-likelihoods in nats, or the log of the ratio of errors;
        None where a learner was not tested.
    """
    if max(pair.runs) >= len(tables):
        return None
    metrics = (pair.metric, pair.against_metric or pair.metric)
    labels = (pair.learner, pair.against)
    rows = [
        tables[run].test_values(label, metric)
        for run, label, metric in zip(pair.runs, labels, metrics, strict=True)
    ]
    if rows[0] is None or rows[1] is None:
        return None
    mine, other = (row.mean(axis=1) for row in rows if row is not None)
    if pair.metric == LOG_SCORE:
        return mean_over_units(mine - other)
    return mean_over_units(log_ratio(mine, other))


def log_ratio(mine: Floats, other: Floats) -> Floats:
    """Return the log ratio of mean errors, one of each replicate.

    Args:
        mine: Shape (replicate,), not negative.
        other: Likewise.
    """
    least = np.finfo(np.float64).tiny  # a replicate may be without any error
    return np.asarray(np.log(np.maximum(mine, least) / np.maximum(other, least)))
