"""Claims: what the numbers allow to be said about a learner and a baseline.

Of optimization tasks the mean log loss (`area`) decides, for it holds speed and end
in one and gives a diverged task its worst value; steps to the threshold stand beside
it. Of few-shot tasks the error of the answers decides. Claims about one pair over all
conditions are one family, and Holm's correction keeps the chance of any false one
below 5 %: the more places are looked at, the more it takes to claim a win in one.

Claims are over replicates, each a training of everything. One training of few-shot
learners can be compared over its episodes, and such a claim says `over="episodes"`:
it is about these two trainings and not about the two methods. Two search strategies
of which neither was trained share nothing between two searches, so all searches of
all replicates vary freely: such a claim says `over="searches"`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import numpy as np

from engine.contract.events import Condition
from engine.contract.kinds import Criterion
from engine.contract.runs import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import (
    BlockTable,
    baseline_learners,
    chosen_learners,
    is_trained,
    tuned_rival,
)
from engine.stats.condition_words import is_unshifted
from engine.stats.inference.paired import (
    Difference,
    paired_difference,
    paired_over_tasks,
)
from engine.stats.inference.profiles import holm

ClaimVerdict = Literal["better", "worse", "no difference", "description"]
SampleUnit = Literal["replicates", "episodes", "searches"]
# below the 5 % that is promised: skewed differences cost a t test its last percent
SIGNIFICANCE = 0.04


@dataclass(frozen=True)
class Claim:
    """One comparison at one condition.

    `difference` is the learner's mean minus the other's (less is better), with
    its own 95 % interval; `call` follows `p`, which Holm has corrected over the
    conditions, so an interval that just misses 0 may still be no difference.
    `equivalent` says that the whole interval is too small to matter, and `over`
    what varied freely: trainings, the episodes of a single one, or all searches.
    """

    learner: str
    against: str
    condition: Condition
    metric: str
    difference: float
    low: float
    high: float
    p: float
    call: ClaimVerdict
    equivalent: bool
    primary: bool
    n_replicates: int
    n_tasks: int
    probability_of_improvement: float
    over: SampleUnit = "replicates"


def make_claims(
    table: BlockTable, spec: RunSpec, threshold: float | None
) -> list[Claim]:
    """Compare every chosen learner with every baseline, wherever both were tested.

    Args:
        table: The run's blocks.
        spec: Says who is chosen and who is a baseline.
        threshold: None where there is none; then steps to it are not compared.
    """
    metrics = table.criterion.metrics_to_compare(threshold)
    claims: list[Claim] = []
    for learner in chosen_learners(spec):
        rival = tuned_rival(table, spec, learner)
        for against, metric in product(baseline_learners(spec), metrics):
            pair = (learner.label, against.label)
            found = list(_differences(table, spec, pair, metric))
            claims += _adjusted_claims(found, pair, metric, against.label == rival)
    return claims


class _ConditionDifference(NamedTuple):
    """A difference at one condition, and what size of it would matter there."""

    condition: Condition
    difference: Difference
    margin: float
    resolution: float
    over: SampleUnit


def _differences(
    table: BlockTable, spec: RunSpec, pair: tuple[str, str], metric: str
) -> Iterator[_ConditionDifference]:
    rule, free = table.criterion, are_independent(table, spec, pair)
    for condition in table.conditions():
        if is_unshifted(condition, spec):
            continue  # the same rows as in distribution: not a second chance
        first, second = (table.test_values(label, metric, condition) for label in pair)
        if first is not None and second is not None and first.shape == second.shape:
            found = compare_pair(rule, first, second, free=free)
            limits = rule.limits(metric, float(second.mean()))
            yield _ConditionDifference(
                condition, found, *limits, _sample_unit(found, free)
            )


def are_independent(table: BlockTable, spec: RunSpec, labels: Iterable[str]) -> bool:
    """Return whether all repetitions by these learners are independent."""
    trained = any(is_trained(table, spec, label) for label in labels)
    return table.criterion.pools and not trained


def compare_pair(
    rule: Criterion, first: Floats, second: Floats, *, free: bool = False
) -> Difference:
    """Compare two learners on the same tasks, over what varied freely.

    Args:
        rule: Says whether one training can be compared at all.
        first: One number a task; shape (replicate, task).
        second: The other learner's.
        free: Whether every task of every replicate varies freely.
    """
    if free:
        pooled = paired_over_tasks(first.reshape(1, -1), second.reshape(1, -1))
        rows, columns = first.shape
        return pooled._replace(n_replicates=rows, n_tasks=columns)
    single = rule.singles and len(first) == 1
    return (paired_over_tasks if single else paired_difference)(first, second)


def _adjusted_claims(
    found: list[_ConditionDifference], pair: tuple[str, str], metric: str, primary: bool
) -> list[Claim]:
    adjusted = holm(np.array([each.difference.p for each in found]))
    return [
        Claim(
            *pair,
            condition=condition,
            metric=metric,
            difference=d.mean,
            low=d.low,
            high=d.high,
            p=float(p),
            call=classify_difference(d, float(p), resolution),
            equivalent=max(abs(d.low), abs(d.high)) < margin,
            primary=primary,
            n_replicates=d.n_replicates,
            n_tasks=d.n_tasks,
            probability_of_improvement=d.improvement,
            over=over,
        )
        for (condition, d, margin, resolution, over), p in zip(
            found, adjusted, strict=True
        )
    ]


def _sample_unit(found: Difference, free: bool) -> SampleUnit:
    if free and np.isfinite(found.p):
        return "searches"
    single = found.n_replicates == 1 and bool(np.isfinite(found.p))
    return "episodes" if single else "replicates"


def classify_difference(found: Difference, p: float, resolution: float) -> ClaimVerdict:
    """Return what a difference in a metric where less is better may be called.

    Args:
        found: First − second.
        p: As corrected; NaN where no test was possible.
        resolution: A difference below this is nothing, however sure.

    >>> classify_difference(Difference(-0.3, -0.4, -0.2, 0.001, 0.9, 8, 8), 0.002, 1e-3)
    'better'
    >>> classify_difference(Difference(-0.3, -0.4, -0.2, 0.001, 0.9, 8, 8), 0.2, 1e-3)
    'no difference'
    """
    if np.isnan(p):
        return "description"
    if not p < SIGNIFICANCE or abs(found.mean) < resolution:
        return "no difference"
    return "better" if found.mean < 0 else "worse"
