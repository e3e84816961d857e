"""What a warm start saves over all targets: search time, quality, cost."""

from collections.abc import Callable, Sequence

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.claims_board.judgment import (
    NOTHING,
    Judgment,
    Place,
    Played,
    Row,
    Verdict,
    line,
    nothing,
    over,
    places,
)
from engine.stats.independent_units import ratio
from engine.stats.inference.intervals import Interval, scaled
from engine.stats.inference.paired import log_ratio
from engine.stats.verdicts.wording import counted, number

WARM, COLD, CONTROL = "warm", "cold", "shuffled"
TIME, QUALITY = (60.0, 80.0), (15.0, 25.0)


def search_time(runs: Sequence[Played]) -> Judgment:
    """Judge by the share of evaluations to the goal that a warm start saves."""
    cells = _ratios(runs, "evaluations_to_goal")
    if not cells:
        return nothing("no search with a known goal was run")
    each = {at: _saved(found) for at, found in cells.items()}
    whole = _saved(_whole(cells))
    rows = [line(at, found) for at, found in each.items()]
    rows += _control(runs, "evaluations_to_goal", _saved)
    return _banded("search time", "saves", whole, TIME, (each, rows))


def quality(runs: Sequence[Played]) -> Judgment:
    """Judge by the relative gain of the final accuracy."""
    cells = _ratios(runs, "final_score")
    if not cells:
        return nothing("no search was run to its end")
    each = {at: _gained(found) for at, found in cells.items()}
    whole = _gained(_whole(cells))
    rows = [line(at, found) for at, found in each.items()]
    rows += _control(runs, "final_score", _gained)
    rows.append(line("share of the final regret saved, all targets", _regret(runs)))
    return _banded("final accuracy", "adds", whole, QUALITY, (each, rows))


def cost(runs: Sequence[Played]) -> Judgment:
    """Judge by the price of all trainings to the goal, sources counted or not."""
    found = places(runs)
    alone = _ratios(runs, "cost_to_goal")
    if not alone:
        return nothing("no search with a price and a goal was run")
    counted_in = {at.target: _with_sources(at, len(found)) for at in found}
    own, all_in = _whole(alone), _whole(counted_in)
    verdict: Verdict = (
        "supported"
        if all_in.high < 1
        else ("depends" if own.high < 1 else "not supported")
    )
    rows = [line(f"{at}, sources not counted", r) for at, r in alone.items()]
    rows += [line(f"{at}, sources shared by all", r) for at, r in counted_in.items()]
    told = (
        f"To the goal a warm start costs {_times(own)} what evolution costs, and "
        f"{_times(all_in)} with its sources' evaluations shared by "
        f"{counted(len(found), 'target')}. {_paid_back(own, all_in, len(found))}"
    )
    return Judgment(
        verdict, *all_in[:3], "× the cost of evolution, sources counted", told,
        tuple(rows), (),
    )  # fmt: skip


def _paid_back(own: Interval, all_in: Interval, targets: int) -> str:
    """Say how many targets would have to share the sources to come out even."""
    source, saved = (all_in.mean - own.mean) * targets, 1.0 - own.mean
    if saved <= 0:
        return "No number of targets pays the sources back."
    return f"About {number(source / saved)} targets pay the sources back."


def _ratios(
    runs: Sequence[Played], metric: str, label: str = WARM
) -> dict[str, Interval]:
    """Return a learner's mean over the cold one's, by target."""
    found = {}
    for at in places(runs):
        pair = at.pair(metric, label, COLD)
        if pair is not None and pair[0].mean() > 0 and pair[1].mean() > 0:
            found[at.target] = ratio(pair[0], pair[1], trained=True)
    return found


def _whole(cells: dict[str, Interval]) -> Interval:
    """Return the mean ratio over targets; of a single target its own."""
    if len(cells) == 1:
        return next(iter(cells.values()))
    logs = over(np.log([found.mean for found in cells.values()]))
    mean, low, high = np.exp(logs[:3]).tolist()
    return Interval(mean, low, high, logs.n)


def _saved(found: Interval) -> Interval:
    return scaled(found, -100.0, 100.0)


def _gained(found: Interval) -> Interval:
    return scaled(found, 100.0, -100.0)


def _control(
    runs: Sequence[Played], metric: str, turned: Callable[[Interval], Interval]
) -> list[Row]:
    cells = _ratios(runs, metric, CONTROL)
    if not cells:
        return []
    return [line("all targets, sources shuffled (control)", turned(_whole(cells)))]


def _regret(runs: Sequence[Played]) -> Interval:
    pairs = [at.pair("final_regret", WARM, COLD) for at in places(runs)]
    means = np.array([[rows.mean() for rows in p] for p in pairs if p is not None])
    if len(means) < 2 or not means.sum(0).all():
        return NOTHING
    return _saved(log_ratio(means[:, :1], means[:, 1:]))


def _with_sources(at: Place, targets: int) -> Interval:
    """Return the price to the goal with each target's part of the sources' price.

    A source's evaluation is priced as the target's are on average.
    """
    pair = at.pair("cost_to_goal", WARM, COLD)
    steps = at.table.tests(COLD, "evaluations_to_goal", at.condition)
    if pair is None or steps is None:
        return NOTHING
    price = float(pair[1].sum() / steps.sum())
    source = at.table.spent(WARM, "train") * price / targets
    warm: Floats = pair[0] + source
    return ratio(warm, pair[1], trained=True)


def _banded(
    what: str,
    verb: str,
    whole: Interval,
    claimed: tuple[float, float],
    cells: tuple[dict[str, Interval], list[Row]],
) -> Judgment:
    """Judge a percentage against the range that is claimed."""
    each, rows = cells
    above = sum(found.low >= claimed[0] for found in each.values())
    reach = sum(not found.high < claimed[0] for found in each.values())
    verdict: Verdict = "depends"
    if whole.low >= claimed[0]:
        verdict = "supported"
    elif whole.high < claimed[0] and not reach:
        verdict = "not supported"
    mean, low, high = (number(value) for value in whole[:3])
    told = (
        f"Over {counted(len(each), 'target')} a warm start {verb} {mean} % "
        f"[{low}, {high}] of the {what}; on {above} surely at least "
        f"{claimed[0]:g} %, on {len(each) - reach} surely less."
    )
    unit = f"% of the {what}"
    return Judgment(verdict, *whole[:3], unit, told, tuple(rows), claimed)


def _times(found: Interval) -> str:
    mean, low, high = (number(value) for value in found[:3])
    return f"{mean} × [{low}, {high}]"
