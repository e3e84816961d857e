"""The terms of the verdict on optimization tasks.

Levels are steps to the threshold where there is one, mean log losses otherwise; the
mean log loss decides. Each learner has a verdict of its own.
"""

from collections.abc import Sequence

import numpy as np

from engine.contract.kinds import OPTIMIZATION
from engine.contract.runs import LearnerChoice
from engine.stats.claims import Claim
from engine.stats.inference.metric_levels import level
from engine.stats.verdicts.evidence import Evidence, Shape
from engine.stats.verdicts.phrases import phrase
from engine.stats.verdicts.terms import TERMS, Terms
from engine.stats.verdicts.wording import (
    counted,
    interval,
    listed,
    names_of,
    rival_name,
)

SPEED = {"better": "sooner", "worse": "later"}


def _head(run: Evidence) -> str:
    return f"On unseen {run.family}"


def _rival(run: Evidence, here: Claim) -> str:
    return rival_name(run.spec, here.against, run.names)


def _levels(run: Evidence, learners: Sequence[LearnerChoice]) -> str:
    found = [f"{run.names[at]} {_level(run, at)}" for at in run.tested(learners)]
    return f"{listed(found)} ({_sizes(run.shape())})"


def _description(run: Evidence, here: Claim) -> str:
    return f"{_both_levels(run, here)} for {_rival(run, here)} ({_sizes_of(here)})."


def _finding(run: Evidence, here: Claim) -> str:
    within = f" to within {run.rule.within}" if here.equivalent else ""
    # levels are shown in steps; where these call it otherwise, the metric is named
    borne_out = here.call == "no difference" or not run.otherwise(here)
    metric = "" if borne_out else " in mean loss"
    return f"{phrase(here.call, _rival(run, here))}{within}{metric}"


def _facts(run: Evidence, here: Claim) -> list[str]:
    mine, other = run.diverged(here.learner, here.against)
    size = here.n_replicates * here.n_tasks
    lost = [f"diverged {mine} against {other} of {size}"] if mine or other else []
    return [_both_levels(run, here), *lost, _sizes_of(here)]


def _speed(run: Evidence, here: Claim) -> list[str]:
    """Say where the steps to the threshold tell another story."""
    return [
        f"it meets the threshold {SPEED[claim.call]}"
        for claim in run.otherwise(here)
        if claim.call in SPEED
    ]


def _both_levels(run: Evidence, here: Claim) -> str:
    return f"{_level(run, here.learner)} against {_level(run, here.against, '')}"


def _level(run: Evidence, label: str, unit: str | None = None) -> str:
    """Write a learner's level, in steps where there is a threshold."""
    metric = run.rule.deciding if run.threshold is None else run.rule.beside
    rows = run.table.tests(label, metric)
    if rows is None:
        return "not tested"
    if run.threshold is None:
        unit = " mean log loss" if unit is None else unit
        return interval(level(metric, rows), unit)
    reached = run.table.tests(label, "reached")
    if reached is not None and not np.any(reached):
        return f"never there in {rows.max():.0f} steps"
    return interval(level(metric, rows), " steps" if unit is None else unit)


def _sizes_of(claim: Claim) -> str:
    return _sizes(Shape(claim.n_replicates, claim.n_tasks))


def _sizes(shape: Shape) -> str:
    replicates = counted(shape.replicates, "replicate")
    return f"n = {replicates} × {counted(shape.tasks, 'task')}"


TERMS[OPTIMIZATION.name] = Terms(
    sample="replicate",
    names=names_of,
    head=_head,
    levels=_levels,
    description=_description,
    facts=_facts,
    finding=_finding,
    rival=_rival,
    clauses=_speed,
    one_by_one=True,
)
