"""Claims: paired comparisons of a learner with a baseline, corrected by Holm.

On optimization tasks the mean log loss (`area`) decides: it combines speed and final
loss and gives a diverged task its worst value; steps to the threshold are secondary.
On few-shot tasks the error of the answers decides. Claims about one pair over all
conditions are one family, and Holm's correction keeps the chance of any false one
below 5 %: the more conditions are tested, the more evidence each claim needs.

Claims are over replicates, each a training of everything. Single trainings of few-shot
learners can be compared over episodes; such a claim has `over="episodes"` and is about
these two trainings, not about the two methods. The searches of two untrained
strategies are independent, so all searches of all replicates count; such a claim has
`over="searches"`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal, NamedTuple

import numpy as np

from engine.contract.events import Condition
from engine.contract.kinds import Criterion
from engine.contract.run_spec import RunSpec
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
# Below the promised 5 %: with skewed differences a t test rejects too often.
SIGNIFICANCE = 0.04


@dataclass(frozen=True)
class Claim:
    """One comparison at one condition.

    `call` follows `p` and not the interval: an interval that just excludes 0 may still
    be "no difference".

    Args:
        learner: Label of the chosen learner.
        against: Label of the baseline.
        condition: Where both were tested.
        metric: What is compared; less is better.
        difference: Mean of the learner minus mean of the baseline.
        low: Lower end of its 95 % interval, not corrected.
        high: Upper end.
        p: Holm-adjusted over the conditions; NaN if no test was possible.
        call: Which one is better; "description" if no test was possible.
        equivalent: Whether the whole interval is too small to matter.
        primary: Whether this baseline is the one that decides.
        n_replicates: Replicates.
        n_tasks: Tasks per replicate.
        probability_of_improvement: Share of tasks where the learner is better.
        over: Independent units: trainings, episodes of a single one, or all searches.
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
    """Compare every chosen learner with every baseline under each shared condition.

    Args:
        table: The run's blocks.
        spec: The run; it says which learners are chosen and which are baselines.
        threshold: None where there is none; then steps to it are not compared.

    Returns:
        Claims by learner, baseline, metric and condition.
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
    """A difference at one condition, with the sizes that matter there."""

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
            continue  # the same rows as in distribution; Holm must not count them twice
        first, second = (table.test_values(label, metric, condition) for label in pair)
        if first is not None and second is not None and first.shape == second.shape:
            found = compare_pair(rule, first, second, free=free)
            limits = rule.limits(metric, float(second.mean()))
            yield _ConditionDifference(
                condition, found, *limits, _sample_unit(found, free)
            )


def are_independent(table: BlockTable, spec: RunSpec, labels: Iterable[str]) -> bool:
    """Return whether all repetitions by these learners are independent.

    Args:
        table: The run's blocks.
        spec: The run.
        labels: The learners.
    """
    trained = any(is_trained(table, spec, label) for label in labels)
    return table.criterion.pools and not trained


def compare_pair(
    rule: Criterion, first: Floats, second: Floats, *, free: bool = False
) -> Difference:
    """Compare two learners on the same tasks, over the independent units.

    Args:
        rule: The criterion; it says whether single trainings may be compared.
        first: One number a task; shape (replicate, task).
        second: The other learner's, on the same tasks.
        free: Whether all tasks of all replicates are independent.

    Returns:
        The difference first − second, in the metric's unit.
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
    """Return the call of a difference, in a metric where less is better.

    Args:
        found: First − second.
        p: Holm-adjusted; NaN where no test was possible.
        resolution: A smaller difference is "no difference", however significant.

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
