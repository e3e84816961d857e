"""The terms of the verdict on searches.

The mean regret decides; beside it stand evaluations to the goal (restricted means: a
search that never reached it counts with the whole horizon), what a strategy spent
beforehand, and after how many targets it is paid back.
"""

from collections.abc import Sequence

import numpy as np

from engine.contract.kinds import SEARCH
from engine.stats.block_table import IN_DISTRIBUTION, is_trained
from engine.stats.claims.run_questions import compare_pair
from engine.stats.independent_units import are_independent, learner_interval
from engine.stats.inference.intervals import Interval
from engine.stats.learner_claims import (
    Claim,
)
from engine.stats.search.break_even import break_even
from engine.stats.verdicts.kind_terms import TERMS, VerdictTerms, name_metric
from engine.stats.verdicts.verdict_inputs import Evidence
from engine.stats.verdicts.wording import (
    capitalize_first,
    format_count,
    format_interval,
    format_number,
    format_searches,
)


def _name_metric(run: Evidence, name: str) -> str:
    return "regret" if name == run.criterion.deciding else name_metric(run, name)


def _name_place(run: Evidence) -> str:
    family = run.spec.family
    title = run.titles.get(family.name) or run.family
    where = f" ({family.knobs['target']})" if "target" in family.knobs else ""
    return f"on {title}{where}"


def _notes(run: Evidence, claim: Claim) -> list[str]:
    # A spec that names a rival leaves a learner with two: its price is told once.
    rivals: dict[str, Claim] = {}
    for each in run.claims:
        here = each.condition == IN_DISTRIBUTION
        if each.decisive and here and each.metric == run.criterion.deciding:
            rivals.setdefault(each.learner, each)
    prices = [price for each in rivals.values() for price in _price(run, each)]
    return [*_compare_evaluations(run, claim), *prices]


def _compare_evaluations(run: Evidence, claim: Claim) -> list[str]:
    """Return the evaluations to the goal of both learners."""
    labels = (claim.learner, claim.against)
    goal = run.criterion.beside
    found = [learner_interval(run.table, run.spec, label, goal) for label in labels]
    told = [format_interval(each) for each in found if each is not None]
    if len(told) < len(labels):
        return []
    text = f"Evaluations to {_describe_goal(run)}: {' against '.join(told)}"
    return [f"{text}{_goal_shares(run, labels)}."]


def _describe_goal(run: Evidence) -> str:
    if run.threshold is not None:
        return f"a regret of {run.criterion.scale * run.threshold:g} points"
    share = run.spec.family.knobs.get("goal")
    if not isinstance(share, (int, float)):
        return "the goal"
    return f"the best {100 * share:g} %"


def _goal_shares(run: Evidence, labels: Sequence[str]) -> str:
    """Return the shares of searches that reached the goal; empty if all did."""
    found = [run.table.test_values(label, "reached") for label in labels]
    shares = [float(row.mean()) for row in found if row is not None]
    if all(share == 1.0 for share in shares):
        return ""
    told = " and ".join(f"{100 * share:.0f} %" for share in shares)
    return f" ({told} of the searches reached it)"


def _price(run: Evidence, claim: Claim) -> list[str]:
    """Return what was spent on sources, and after how many targets it pays back."""
    label, rival = claim.learner, claim.against
    source = sum(run.table.gradients_spent(label, phase) for phase in ("train", "tune"))
    if not source:
        return []
    text = (
        f"{capitalize_first(run.names[label])} took {source:,} evaluations beforehand"
    )
    mine, other = (
        run.table.test_values(at, run.criterion.beside) for at in (label, rival)
    )
    if mine is None or other is None:
        return [f"{text}."]
    free = are_independent(run.table, run.spec, (label, rival))
    # The rival's evaluations minus the learner's: positive if the learner saves some.
    saved = compare_pair(run.criterion, other, mine, free=free).mean_with_interval()
    return [f"{text}, {_describe_break_even(break_even(source, saved))}."]


def _describe_break_even(interval: Interval) -> str:
    if not np.isfinite(interval.mean):
        return "which no number of targets pays back"
    count = format_number(interval.mean)
    if np.isnan(interval.low):  # so few searches have no interval
        return f"paid back after {count} targets"
    # The upper end is infinite where the interval of what is saved includes 0.
    ends = [
        format_number(v) if np.isfinite(v) else "never"
        for v in (interval.low, interval.high)
    ]
    return f"paid back after {count} targets [{ends[0]}, {ends[1]}]"


def _closing_sentences(run: Evidence) -> list[str]:
    """Say what the intervals are over, and on which source learners were trained."""
    trainings, searches = run.shape()
    labels = [c.label for c in run.spec.learners]
    if not any(is_trained(run.table, run.spec, label) for label in labels):
        return [f"Measured over {format_searches(trainings * searches)}."]
    source = run.spec.family.knobs.get("source")
    learned = f" (source: {source})" if source is not None else ""
    each = f"{format_searches(searches)}{' each' if trainings > 1 else ''}"
    sizes = f"Measured over {format_count(trainings, 'training')}{learned} with {each}."
    return [sizes]


TERMS[SEARCH.name] = VerdictTerms(
    metric=_name_metric,
    place=_name_place,
    notes=_notes,
    ending=_closing_sentences,
)
