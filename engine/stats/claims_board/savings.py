"""Judges of a warm start over all targets: search time, quality and cost."""

from collections.abc import Callable, Sequence

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.claims_board.study_verdict import (
    NOTHING,
    FinishedRun,
    SourceTarget,
    StudyVerdict,
    Verdict,
    VerdictRow,
    mean_over_units,
    source_targets,
    table_row,
    undecided_verdict,
)
from engine.stats.independent_units import paired_ratio
from engine.stats.inference.intervals import Interval, scale_interval
from engine.stats.inference.mean_ratio import log_ratio
from engine.stats.verdicts.wording import format_count, format_number

WARM, COLD, CONTROL = "warm", "cold", "shuffled"
TIME, QUALITY = (60.0, 80.0), (15.0, 25.0)  # the claimed ranges, percent


def judge_search_time(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the share of evaluations to the goal that a warm start saves."""
    cells = _ratios(runs, "evaluations_to_goal")
    if not cells:
        return undecided_verdict("no search with a known goal was run")
    each = {at: _percent_saved(found) for at, found in cells.items()}
    whole = _percent_saved(_mean_ratio(cells))
    rows = [table_row(at, found) for at, found in each.items()]
    rows += _control_rows(runs, "evaluations_to_goal", _percent_saved)
    return _judge_range("search time", "saves", whole, TIME, (each, rows))


def judge_quality(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the relative gain of the final accuracy."""
    cells = _ratios(runs, "final_score")
    if not cells:
        return undecided_verdict("no search was run to its end")
    each = {at: _percent_gained(found) for at, found in cells.items()}
    whole = _percent_gained(_mean_ratio(cells))
    rows = [table_row(at, found) for at, found in each.items()]
    rows += _control_rows(runs, "final_score", _percent_gained)
    rows.append(
        table_row("share of the final regret saved, all targets", _regret_saved(runs))
    )
    return _judge_range("final accuracy", "adds", whole, QUALITY, (each, rows))


def judge_cost(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the cost of all trainings to the goal, with and without sources."""
    found = source_targets(runs)
    alone = _ratios(runs, "cost_to_goal")
    if not alone:
        return undecided_verdict("no search with a price and a goal was run")
    counted_in = {at.target: _cost_with_sources(at, len(found)) for at in found}
    own, all_in = _mean_ratio(alone), _mean_ratio(counted_in)
    verdict: Verdict = (
        "supported"
        if all_in.high < 1
        else ("depends" if own.high < 1 else "not supported")
    )
    rows = [table_row(f"{at}, sources not counted", r) for at, r in alone.items()]
    rows += [
        table_row(f"{at}, sources shared by all", r) for at, r in counted_in.items()
    ]
    told = (
        f"To the goal a warm start costs {_format_ratio(own)} what evolution "
        "costs, and "
        f"{_format_ratio(all_in)} with its sources' evaluations shared by "
        f"{format_count(len(found), 'target')}. "
        f"{_describe_break_even(own, all_in, len(found))}"
    )
    return StudyVerdict(
        verdict,
        *all_in[:3],
        "× the cost of evolution, sources counted",
        told,
        tuple(rows),
        (),
    )


def _describe_break_even(own: Interval, all_in: Interval, targets: int) -> str:
    """Return after how many targets the sources are paid back, in a sentence."""
    source, saved = (all_in.mean - own.mean) * targets, 1.0 - own.mean
    if saved <= 0:
        return "No number of targets pays the sources back."
    return f"About {format_number(source / saved)} targets pay the sources back."


def _ratios(
    runs: Sequence[FinishedRun], metric: str, label: str = WARM
) -> dict[str, Interval]:
    """Return a learner's mean over the cold one's, by target."""
    found = {}
    for at in source_targets(runs):
        pair = at.values_of_all(metric, label, COLD)
        if pair is not None and pair[0].mean() > 0 and pair[1].mean() > 0:
            found[at.target] = paired_ratio(pair[0], pair[1], trained=True)
    return found


def _mean_ratio(cells: dict[str, Interval]) -> Interval:
    """Return the geometric mean ratio over targets; a single target keeps its own."""
    if len(cells) == 1:
        return next(iter(cells.values()))
    # Ratios are averaged on the log scale, where saving and losing are symmetric.
    logs = mean_over_units(np.log([found.mean for found in cells.values()]))
    mean, low, high = np.exp(logs[:3]).tolist()
    return Interval(mean, low, high, logs.n)


def _percent_saved(interval: Interval) -> Interval:
    return scale_interval(interval, -100.0, 100.0)


def _percent_gained(interval: Interval) -> Interval:
    return scale_interval(interval, 100.0, -100.0)


def _control_rows(
    runs: Sequence[FinishedRun], metric: str, turned: Callable[[Interval], Interval]
) -> list[VerdictRow]:
    cells = _ratios(runs, metric, CONTROL)
    if not cells:
        return []
    return [
        table_row("all targets, sources shuffled (control)", turned(_mean_ratio(cells)))
    ]


def _regret_saved(runs: Sequence[FinishedRun]) -> Interval:
    pairs = [
        at.values_of_all("final_regret", WARM, COLD) for at in source_targets(runs)
    ]
    means = np.array([[rows.mean() for rows in p] for p in pairs if p is not None])
    if len(means) < 2 or not means.sum(0).all():
        return NOTHING
    return _percent_saved(log_ratio(means[:, :1], means[:, 1:]))


def _cost_with_sources(at: SourceTarget, targets: int) -> Interval:
    """Return the cost ratio to the goal, with each target's share of the sources' cost.

    A source's evaluation costs what the target's cost on average.
    """
    pair = at.values_of_all("cost_to_goal", WARM, COLD)
    steps = at.table.test_values(COLD, "evaluations_to_goal", at.condition)
    if pair is None or steps is None:
        return NOTHING
    price = float(pair[1].sum() / steps.sum())  # mean cost of one evaluation
    source = at.table.gradients_spent(WARM, "train") * price / targets
    warm: Floats = pair[0] + source
    return paired_ratio(warm, pair[1], trained=True)


def _judge_range(
    what: str,
    verb: str,
    whole: Interval,
    claimed: tuple[float, float],
    cells: tuple[dict[str, Interval], list[VerdictRow]],
) -> StudyVerdict:
    """Judge a percentage against the range that is claimed."""
    each, rows = cells
    above = sum(found.low >= claimed[0] for found in each.values())
    reach = sum(not found.high < claimed[0] for found in each.values())
    verdict: Verdict = "depends"
    if whole.low >= claimed[0]:
        verdict = "supported"
    elif whole.high < claimed[0] and not reach:
        verdict = "not supported"
    mean, low, high = (format_number(value) for value in whole[:3])
    told = (
        f"Over {format_count(len(each), 'target')} a warm start {verb} {mean} % "
        f"[{low}, {high}] of the {what}; the interval of {above} lies at or above "
        f"{claimed[0]:g} %, that of {len(each) - reach} below."
    )
    unit = f"% of the {what}"
    return StudyVerdict(verdict, *whole[:3], unit, told, tuple(rows), claimed)


def _format_ratio(interval: Interval) -> str:
    mean, low, high = (format_number(value) for value in interval[:3])
    return f"{mean} × [{low}, {high}]"
