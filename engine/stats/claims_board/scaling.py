"""Patterns, sizes and costs: what helps everywhere, and what grows with what."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.contract.appearance import name_in_words
from engine.stats.array_types import Floats
from engine.stats.block_table import PER_STEP
from engine.stats.claims_board.judgment import (
    Judgment,
    Place,
    Played,
    Row,
    Verdict,
    line,
    nothing,
    places,
)
from engine.stats.inference.intervals import (
    Interval,
    mean_band,
    mean_interval,
    scaled,
    student,
)
from engine.stats.inference.profiles import holm
from engine.stats.search.efficiency import overheads
from engine.stats.verdicts.wording import number

RANDOM = "random_search"
LEVEL, MOST = 0.05, 0.75
MINIMAL = 0.01
LINEAR = 1.1


class Pattern(NamedTuple):
    """One option of one decision: its effect on each task; arrays (task,)."""

    name: str
    mean: Floats
    low: Floats
    high: Floats
    n: int
    p: Floats


def patterns(runs: Sequence[Played]) -> Judgment:
    """Judge by the options that help on every task."""
    tasks = [(at, at.run.film("film")) for at in places(runs)]
    known = [(at, dict(film.info)) for at, film in tasks if film is not None]
    effects = [_effects(at, info) for at, info in known]
    effects = [found for found in effects if found]
    if not effects:
        return nothing("no random search with a film was run")
    every = _patterns(effects)
    helps = [(each, _sure(each, 1)) for each in every]
    always = [each for each, sure in helps if sure == len(effects)]
    mostly = [
        each
        for each, sure in helps
        if sure >= MOST * len(effects) and not _sure(each, -1)
    ]
    best = max(every, key=lambda each: float(each.low.min()))
    verdict: Verdict = "not supported"
    verdict = "supported" if always else "depends" if mostly else verdict
    told = (
        f"{len(always)} of {len(every)} options surely help on all {len(effects)} "
        f"tasks{_named(always)}; {len(mostly)} on three quarters and hurt on none. "
        f"The safest, {best.name}, adds at least "
        f"{number(100 * float(best.mean.min()))} points."
    )
    rows = [_pattern_line(each) for each in sorted(every, key=lambda e: -e.mean.min())]
    least = scaled(_least(best), 100.0)
    unit = f"points, {best.name}, where it helps least"
    return Judgment(verdict, *least[:3], unit, told, tuple(rows))


def _effects(at: Place, info: dict[str, object]) -> dict[str, Floats]:
    """Return each option's effect in each search, by name; shape (search,)."""
    tried = at.table.tests(RANDOM, "architecture", at.condition, PER_STEP)
    signal = at.table.tests(RANDOM, "signal", at.condition, PER_STEP)
    if tried is None or signal is None:
        return {}
    names, options = info["positions"], info["options"]
    assert isinstance(names, list) and isinstance(options, list)
    searches = (tried.reshape(-1, tried.shape[-1]), signal.reshape(-1, tried.shape[-1]))
    radix = [len(each) for each in options]
    found = {}
    for position, (name, kept) in enumerate(zip(names, options, strict=True)):
        code = _code(searches[0], radix, position)
        for option, word in enumerate(kept if len(kept) > 1 else ()):
            found[f"{name} = {word}"] = _contrast(code == option, searches[1])
    return found


def _code(index: Floats, radix: list[int], position: int) -> Floats:
    after = math.prod(radix[position + 1 :])
    return np.asarray(np.floor(index / after) % radix[position])


def _contrast(there: np.ndarray, signal: Floats) -> Floats:
    """Return the mean with an option minus without, search by search."""
    known = np.isfinite(signal)
    value = np.where(known, signal, 0.0)

    def mean(rows: np.ndarray) -> Floats:
        count = (rows & known).sum(-1)
        total = np.where(rows, value, 0.0).sum(-1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    return mean(there) - mean(~there)


def _patterns(effects: list[dict[str, Floats]]) -> list[Pattern]:
    shared = [name for name in effects[0] if all(name in each for each in effects)]
    found = []
    for name in shared:
        bands = [mean_band(each[name][:, None]) for each in effects]
        mean, low, high, n = np.array([[float(x) for x in b] for b in bands]).T
        p = np.array([_p(*row) for row in zip(mean, high - mean, n, strict=True)])
        found.append(Pattern(name, mean, low, high, int(n.min()), p))
    adjusted = holm(np.concatenate([each.p for each in found])).reshape(len(found), -1)
    return [each._replace(p=p) for each, p in zip(found, adjusted, strict=True)]


def _p(mean: float, half: float, n: float) -> float:
    from scipy.special import stdtr

    if not half > 0:
        return math.nan if math.isnan(half) else float(mean == 0.0)
    error = half / float(student(np.array(n - 1)))
    return float(2 * stdtr(n - 1, -abs(mean) / error))


def _sure(each: Pattern, sign: int) -> int:
    return int(((each.p < LEVEL) & (np.sign(each.mean) == sign)).sum())


def _named(found: Sequence[Pattern]) -> str:
    return f" ({', '.join(each.name for each in found[:4])})" if found else ""


def _pattern_line(each: Pattern) -> Row:
    told = f"{each.name}: surely helps on {_sure(each, 1)}, hurts on {_sure(each, -1)}"
    return line(f"{told} of {len(each.mean)}; least", _least(each), 100)


def _least(each: Pattern) -> Interval:
    """Return the effect on the task where it is smallest."""
    at = int(each.mean.argmin())
    low, high = float(each.low[at]), float(each.high[at])
    return Interval(float(each.mean[at]), low, high, each.n)


def overhead(runs: Sequence[Played]) -> Judgment:
    """Judge by what strategies take themselves against what a training takes."""
    seconds, price = _timed(runs)
    if not seconds:
        return nothing("no strategy was timed")
    most = max(seconds, key=lambda label: seconds[label].mean)
    rows = [line(f"{name_in_words(at)}, ms", x, 1000) for at, x in seconds.items()]
    told = (
        f"The slowest strategy, {name_in_words(most)}, takes "
        f"{number(1000 * seconds[most].mean)} ms for an evaluation"
    )
    film = next((f for f in (run.film("film") for run in runs) if f is not None), None)
    if film is None or film.info["cost_unit"] != "s":
        least = number(seconds[most].high / MINIMAL)
        told += f"; that is below 1 % wherever a training takes {least} s."
        found = scaled(seconds[most], 1000)
        return Judgment("depends", *found[:3], "ms", told, tuple(rows))
    shares = {at: scaled(each, 100 / price) for at, each in seconds.items()}
    verdict: Verdict = "depends"
    if all(each.high < 100 * MINIMAL for each in shares.values()):
        verdict = "supported"
    elif any(each.low > 100 * MINIMAL for each in shares.values()):
        verdict = "not supported"
    told += f" whose training takes {number(price)} s."
    unit = "% of a training"
    return Judgment(verdict, *shares[most][:3], unit, told, tuple(rows))


def _timed(runs: Sequence[Played]) -> tuple[dict[str, Interval], float]:
    """Return each strategy's seconds for an evaluation, and what a training takes."""
    found: dict[str, list[float]] = {}
    prices = []
    for run in runs:
        at = next(iter(places([run])), None)
        labels = [choice.label for choice in run.spec.learners]
        for each in overheads(at.table, run.timings, labels) if at else ():
            found.setdefault(each.learner, []).append(each.seconds)
            prices.append(each.price)
    price = float(np.mean(prices)) if prices else math.nan
    rows = {label: np.array(each)[:, None] for label, each in found.items()}
    return {label: mean_interval(row, log=True) for label, row in rows.items()}, price


def memory(runs: Sequence[Played]) -> Judgment:
    """Judge by the power of the evaluations with which memory grows."""
    peaks: dict[str, dict[int, int]] = {}
    for run in runs:
        for timing in run.timings:
            if timing.peak:
                at = peaks.setdefault(timing.learner, {})
                at[timing.count] = max(timing.peak, at.get(timing.count, 0))
    powers = {label: power(at) for label, at in peaks.items() if len(at) > 2}
    if not powers:
        return nothing("no search was weighed at three lengths")
    most = max(powers, key=lambda label: powers[label].mean)
    found = powers[most]
    verdict: Verdict = "depends"
    if all(each.high < LINEAR for each in powers.values()):
        verdict = "supported"
    elif any(each.low > LINEAR for each in powers.values()):
        verdict = "not supported"
    rows = [line(f"{label}: power", each) for label, each in powers.items()]
    rows += [
        line(f"{label}, {n} evaluations, MB", Interval(b / 1e6, math.nan, math.nan, 1))
        for label, at in peaks.items()
        for n, b in sorted(at.items())
    ]
    told = (
        f"The memory of a search grows with at most the power {number(found.mean)} "
        f"[{number(found.low)}, {number(found.high)}] of its evaluations ({most})."
    )
    return Judgment(verdict, *found[:3], "power of the evaluations", told, tuple(rows))


def power(peaks: dict[int, int]) -> Interval:
    """Return the slope of log bytes over log evaluations, 95 % over the lengths.

    >>> round(power({10: 100, 100: 1000, 1000: 10000}).mean, 9)
    1.0
    """
    x, y = np.log(np.array(sorted(peaks.items()), dtype=np.float64)).T
    away = x - x.mean()
    square = float((away**2).sum())
    slope = float(away @ y) / square
    rest = y - y.mean() - slope * away
    free = len(x) - 2
    error = math.sqrt(float((rest**2).sum()) / free / square)
    half = float(student(np.array(float(free)))) * error
    return Interval(slope, slope - half, slope + half, len(x))
