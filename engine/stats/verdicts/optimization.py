"""The terms of the verdict on optimization tasks.

Levels are steps to the threshold where there is one, mean log losses otherwise; the
mean log loss decides. Each learner has a verdict of its own.
"""

from collections.abc import Sequence

import numpy as np

from engine.contract.kinds import OPTIMIZATION
from engine.contract.run_spec import LearnerChoice
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.learner_claims import CANT_TELL, EQUAL, Claim
from engine.stats.verdicts.kind_terms import TERMS, VerdictTerms
from engine.stats.verdicts.phrases import phrase_call
from engine.stats.verdicts.verdict_inputs import Evidence, Shape
from engine.stats.verdicts.wording import (
    display_names,
    format_count,
    format_interval,
    join_words,
    rival_name,
)

SPEED = {"better": "sooner", "worse": "later"}


def _opening_sentence(run: Evidence) -> str:
    return f"On unseen {run.family}"


def _rival_name(run: Evidence, claim: Claim) -> str:
    return rival_name(run.spec, claim.against, run.names)


def _list_levels(run: Evidence, learners: Sequence[LearnerChoice]) -> str:
    found = [
        f"{run.names[at]} {_format_level(run, at)}"
        for at in run.tested_labels(learners)
    ]
    return f"{join_words(found)} ({_format_sizes(run.shape())})"


def _describe_levels(run: Evidence, claim: Claim) -> str:
    return (
        f"{_both_levels(run, claim)} for {_rival_name(run, claim)} "
        f"({_claim_sizes(claim)})."
    )


def _describe_difference(run: Evidence, claim: Claim) -> str:
    within = f" to within {run.criterion.within}" if claim.call == EQUAL else ""
    # Levels are shown in steps; where those come to another call, name the metric.
    borne_out = claim.call in (EQUAL, CANT_TELL) or not run.dissenting_claims(claim)
    metric = "" if borne_out else " in mean loss"
    return f"{phrase_call(claim.call, _rival_name(run, claim))}{within}{metric}"


def _facts(run: Evidence, claim: Claim) -> list[str]:
    mine, other = run.divergence_counts(claim.learner, claim.against)
    size = claim.n_replicates * claim.n_tasks
    lost = [f"diverged {mine} against {other} of {size}"] if mine or other else []
    return [_both_levels(run, claim), *lost, _claim_sizes(claim)]


def _speed_contrast(run: Evidence, here: Claim) -> list[str]:
    """Say where the steps to the threshold come to another call than the loss."""
    return [
        f"it reaches the threshold {SPEED[claim.call]}"
        for claim in run.dissenting_claims(here)
        if claim.call in SPEED
    ]


def _both_levels(run: Evidence, claim: Claim) -> str:
    return (
        f"{_format_level(run, claim.learner)} against "
        f"{_format_level(run, claim.against, '')}"
    )


def _format_level(run: Evidence, label: str, unit: str | None = None) -> str:
    """Write a learner's level, in steps where there is a threshold."""
    metric = run.criterion.deciding if run.threshold is None else run.criterion.beside
    rows = run.table.test_values(label, metric)
    if rows is None:
        return "not tested"
    if run.threshold is None:
        unit = " mean log loss" if unit is None else unit
        return format_interval(metric_interval(metric, rows), unit)
    # If no task reached it, the mean is the horizon and would read as a result.
    reached = run.table.test_values(label, "reached")
    if reached is not None and not np.any(reached):
        return f"threshold not reached in {rows.max():.0f} steps"
    return format_interval(
        metric_interval(metric, rows), " steps" if unit is None else unit
    )


def _claim_sizes(claim: Claim) -> str:
    return _format_sizes(Shape(claim.n_replicates, claim.n_tasks))


def _format_sizes(shape: Shape) -> str:
    replicates = format_count(shape.replicates, "replicate")
    return f"n = {replicates} × {format_count(shape.tasks, 'task')}"


TERMS[OPTIMIZATION.name] = VerdictTerms(
    sample="replicate",
    names=display_names,
    head=_opening_sentence,
    levels=_list_levels,
    description=_describe_levels,
    facts=_facts,
    finding=_describe_difference,
    rival=_rival_name,
    clauses=_speed_contrast,
    one_by_one=True,
)
