"""Claims: what the numbers allow to be said about a learner and a baseline.

The mean log loss (`area`) decides, for it holds speed and end in one and gives
a diverged task its worst value; steps to the threshold stand beside it. Claims
about one pair over all conditions are one family, and Holm's correction keeps
the chance of any false one below 5 %: the more places are looked at, the more it
takes to claim a win in one of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np

from engine.contract.blocks import Condition
from engine.contract.runs import RunSpec
from engine.stats.aggregate import holm
from engine.stats.paired import Difference, paired_difference
from engine.stats.table import Table, baselines, chosen, tuned_rival

Call = Literal["better", "worse", "no difference", "description"]
DECIDING = "area"
BESIDE = "steps_to_threshold"
# below the 5 % that is promised: skewed differences cost a t test its last percent
LEVEL = 0.04
# smaller than this is nothing, however sure: rounding, or a tenth of a percent
RESOLUTION = {DECIDING: 1e-3, BESIDE: 1e-9}
# an interval inside this says "the same": 5 % of the loss, one step
MARGIN = {DECIDING: float(np.log(1.05)), BESIDE: 1.0}


@dataclass(frozen=True)
class Claim:
    """One comparison at one condition.

    `difference` is the learner's mean minus the other's (less is better), with
    its own 95 % interval; `call` follows `p`, which Holm has corrected over the
    conditions, so an interval that just misses 0 may still be no difference.
    `equivalent` says that the whole interval is too small to matter.
    """

    learner: str
    against: str
    condition: Condition
    metric: str
    difference: float
    low: float
    high: float
    p: float
    call: Call
    equivalent: bool
    primary: bool
    n_replicates: int
    n_tasks: int
    probability_of_improvement: float


def make_claims(table: Table, spec: RunSpec, threshold: float | None) -> list[Claim]:
    """Compare every chosen learner with every baseline, wherever both were tested.

    Args:
        table: The run's blocks.
        spec: Says who is chosen and who is a baseline.
        threshold: None where there is none; then steps to it are not compared.
    """
    metrics = [DECIDING] if threshold is None else [DECIDING, BESIDE]
    claims: list[Claim] = []
    for learner in chosen(spec):
        rival = tuned_rival(table, spec, learner)
        for against, metric in product(baselines(spec), metrics):
            pair = (learner.label, against.label)
            found = dict(_differences(table, pair, metric))
            claims += _family(found, pair, metric, against.label == rival)
    return claims


def _differences(
    table: Table, pair: tuple[str, str], metric: str
) -> Iterator[tuple[Condition, Difference]]:
    for condition in table.conditions():
        if condition.shift and condition.severity == 0.0:
            continue  # the same rows as in place: not a second chance
        first, second = (table.tests(label, metric, condition) for label in pair)
        if first is not None and second is not None and first.shape == second.shape:
            yield condition, paired_difference(first, second)


def _family(
    found: dict[Condition, Difference],
    pair: tuple[str, str],
    metric: str,
    primary: bool,
) -> list[Claim]:
    adjusted = holm(np.array([difference.p for difference in found.values()]))
    return [
        Claim(
            *pair,
            condition=condition,
            metric=metric,
            difference=d.mean,
            low=d.low,
            high=d.high,
            p=float(p),
            call=call_of(d, float(p), metric),
            equivalent=max(abs(d.low), abs(d.high)) < MARGIN[metric],
            primary=primary,
            n_replicates=d.n_replicates,
            n_tasks=d.n_tasks,
            probability_of_improvement=d.improvement,
        )
        for (condition, d), p in zip(found.items(), adjusted, strict=True)
    ]


def call_of(difference: Difference, p: float, metric: str) -> Call:
    """Return what a difference in a metric where less is better may be called.

    >>> call_of(Difference(-0.3, -0.4, -0.2, 0.001, 0.9, 8, 8), 0.002, "area")
    'better'
    >>> call_of(Difference(-0.3, -0.4, -0.2, 0.001, 0.9, 8, 8), 0.2, "area")
    'no difference'
    """
    if difference.n_replicates < 2:
        return "description"
    if not p < LEVEL or abs(difference.mean) < RESOLUTION[metric]:
        return "no difference"
    return "better" if difference.mean < 0 else "worse"
