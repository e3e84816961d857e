"""Judges of options that help on every task, of overhead and of memory."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.contract.learner_appearance import name_in_words
from engine.stats.array_types import Floats
from engine.stats.block_table import PER_STEP
from engine.stats.claims_board.study_verdict import (
    FinishedRun,
    SourceTarget,
    StudyVerdict,
    Verdict,
    VerdictRow,
    source_targets,
    table_row,
    undecided_verdict,
)
from engine.stats.inference.intervals import (
    Interval,
    mean_band,
    mean_interval,
    scale_interval,
    t_critical,
)
from engine.stats.inference.profiles import holm
from engine.stats.search.efficiency import overheads
from engine.stats.verdicts.wording import format_number

RANDOM = "random_search"
LEVEL, MOST = 0.05, 0.75  # level of significance, share of the tasks
MINIMAL = 0.01  # share of a training
LINEAR = 1.1  # power up to which growth counts as linear


class OptionEffect(NamedTuple):
    """One option of one decision: its effect on each task; arrays (task,)."""

    name: str
    mean: Floats
    low: Floats
    high: Floats
    n: int
    p: Floats


def judge_patterns(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the options that help on every task."""
    tasks = [(at, at.run.film("film")) for at in source_targets(runs)]
    known = [(at, dict(film.info)) for at, film in tasks if film is not None]
    effects = [_option_effects(at, info) for at, info in known]
    effects = [found for found in effects if found]
    if not effects:
        return undecided_verdict("no random search with a film was run")
    every = _pool_effects(effects)
    helps = [(each, _count_significant(each, 1)) for each in every]
    always = [each for each, sure in helps if sure == len(effects)]
    mostly = [
        each
        for each, sure in helps
        if sure >= MOST * len(effects) and not _count_significant(each, -1)
    ]
    best = max(every, key=lambda each: float(each.low.min()))
    verdict: Verdict = "not supported"
    verdict = "supported" if always else "depends" if mostly else verdict
    told = (
        f"{len(always)} of {len(every)} options help significantly on all "
        f"{len(effects)} tasks{_list_names(always)}; {len(mostly)} help on three "
        f"quarters of them and hurt on none. The safest, {best.name}, adds at least "
        f"{format_number(100 * float(best.mean.min()))} points."
    )
    rows = [_effect_row(each) for each in sorted(every, key=lambda e: -e.mean.min())]
    least = scale_interval(_smallest_effect(best), 100.0)
    unit = f"points, {best.name}, where it helps least"
    return StudyVerdict(verdict, *least[:3], unit, told, tuple(rows))


def _option_effects(at: SourceTarget, info: dict[str, object]) -> dict[str, Floats]:
    """Return each option's effect in each search, by name; shape (search,)."""
    tried = at.table.test_values(RANDOM, "architecture", at.condition, PER_STEP)
    signal = at.table.test_values(RANDOM, "signal", at.condition, PER_STEP)
    if tried is None or signal is None:
        return {}
    names, options = info["positions"], info["options"]
    # A film's info is JSON: this tells the type checker what it holds.
    assert isinstance(names, list) and isinstance(options, list)
    searches = (tried.reshape(-1, tried.shape[-1]), signal.reshape(-1, tried.shape[-1]))
    radix = [len(each) for each in options]
    found = {}
    for position, (name, kept) in enumerate(zip(names, options, strict=True)):
        code = _option_at(searches[0], radix, position)
        for option, word in enumerate(kept if len(kept) > 1 else ()):
            found[f"{name} = {word}"] = _contrast(code == option, searches[1])
    return found


def _option_at(index: Floats, radix: list[int], position: int) -> Floats:
    after = math.prod(radix[position + 1 :])
    return np.asarray(np.floor(index / after) % radix[position])


def _contrast(there: np.ndarray, signal: Floats) -> Floats:
    """Return the mean signal with an option minus that without it, by search."""
    known = np.isfinite(signal)
    value = np.where(known, signal, 0.0)

    def mean(rows: np.ndarray) -> Floats:
        count = (rows & known).sum(-1)
        total = np.where(rows, value, 0.0).sum(-1)
        return np.where(count > 0, total / np.maximum(count, 1), np.nan)

    return mean(there) - mean(~there)


def _pool_effects(effects: list[dict[str, Floats]]) -> list[OptionEffect]:
    shared = [name for name in effects[0] if all(name in each for each in effects)]
    found = []
    for name in shared:
        bands = [mean_band(each[name][:, None]) for each in effects]
        mean, low, high, n = np.array([[float(x) for x in b] for b in bands]).T
        # The band is symmetric, so its upper half gives back the standard error.
        p = np.array([_p_value(*row) for row in zip(mean, high - mean, n, strict=True)])
        found.append(OptionEffect(name, mean, low, high, int(n.min()), p))
    adjusted = holm(np.concatenate([each.p for each in found])).reshape(len(found), -1)
    return [each._replace(p=p) for each, p in zip(found, adjusted, strict=True)]


def _p_value(mean: float, half: float, n: float) -> float:
    from scipy.special import stdtr

    if not half > 0:
        return math.nan if math.isnan(half) else float(mean == 0.0)
    error = half / float(t_critical(np.array(n - 1)))
    return float(2 * stdtr(n - 1, -abs(mean) / error))


def _count_significant(each: OptionEffect, sign: int) -> int:
    return int(((each.p < LEVEL) & (np.sign(each.mean) == sign)).sum())


def _list_names(found: Sequence[OptionEffect]) -> str:
    return f" ({', '.join(each.name for each in found[:4])})" if found else ""


def _effect_row(each: OptionEffect) -> VerdictRow:
    told = (
        f"{each.name}: significantly helps on {_count_significant(each, 1)} and hurts "
        f"on {_count_significant(each, -1)}"
    )
    return table_row(f"{told} of {len(each.mean)}; least", _smallest_effect(each), 100)


def _smallest_effect(each: OptionEffect) -> Interval:
    """Return the effect on the task where it is smallest."""
    at = int(each.mean.argmin())
    low, high = float(each.low[at]), float(each.high[at])
    return Interval(float(each.mean[at]), low, high, each.n)


def judge_overhead(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the strategies' own time as a share of a training's."""
    seconds, price = _strategy_seconds(runs)
    if not seconds:
        return undecided_verdict("no strategy was timed")
    most = max(seconds, key=lambda label: seconds[label].mean)
    rows = [table_row(f"{name_in_words(at)}, ms", x, 1000) for at, x in seconds.items()]
    told = (
        f"The slowest strategy, {name_in_words(most)}, takes "
        f"{format_number(1000 * seconds[most].mean)} ms per evaluation"
    )
    film = next((f for f in (run.film("film") for run in runs) if f is not None), None)
    if film is None or film.info["cost_unit"] != "s":
        least = format_number(seconds[most].high / MINIMAL)
        told += f", which is below 1 % if a training takes at least {least} s."
        found = scale_interval(seconds[most], 1000)
        # Without a cost in seconds the overhead has nothing to be compared with.
        return StudyVerdict("depends", *found[:3], "ms", told, tuple(rows))
    shares = {at: scale_interval(each, 100 / price) for at, each in seconds.items()}
    verdict: Verdict = "depends"
    if all(each.high < 100 * MINIMAL for each in shares.values()):
        verdict = "supported"
    elif any(each.low > 100 * MINIMAL for each in shares.values()):
        verdict = "not supported"
    told += f"; a training takes {format_number(price)} s."
    unit = "% of a training"
    return StudyVerdict(verdict, *shares[most][:3], unit, told, tuple(rows))


def _strategy_seconds(runs: Sequence[FinishedRun]) -> tuple[dict[str, Interval], float]:
    """Return each strategy's seconds per evaluation, and a training's mean cost."""
    found: dict[str, list[float]] = {}
    prices = []
    for run in runs:
        at = next(iter(source_targets([run])), None)
        labels = [choice.label for choice in run.spec.learners]
        for each in overheads(at.table, run.timings, labels) if at else ():
            found.setdefault(each.learner, []).append(each.seconds)
            prices.append(each.price)
    price = float(np.mean(prices)) if prices else math.nan
    rows = {label: np.array(each)[:, None] for label, each in found.items()}
    return {label: mean_interval(row, log=True) for label, row in rows.items()}, price


def judge_memory(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the exponent of peak memory over the number of evaluations."""
    peaks: dict[str, dict[int, int]] = {}
    for run in runs:
        for timing in run.timings:
            if timing.peak:
                at = peaks.setdefault(timing.learner, {})
                at[timing.count] = max(timing.peak, at.get(timing.count, 0))
    powers = {label: fit_power(at) for label, at in peaks.items() if len(at) > 2}
    if not powers:
        return undecided_verdict("no search's memory was measured at three lengths")
    most = max(powers, key=lambda label: powers[label].mean)
    found = powers[most]
    verdict: Verdict = "depends"
    if all(each.high < LINEAR for each in powers.values()):
        verdict = "supported"
    elif any(each.low > LINEAR for each in powers.values()):
        verdict = "not supported"
    rows = [table_row(f"{label}: power", each) for label, each in powers.items()]
    rows += [
        table_row(
            f"{label}, {n} evaluations, MB", Interval(b / 1e6, math.nan, math.nan, 1)
        )
        for label, at in peaks.items()
        for n, b in sorted(at.items())
    ]
    told = (
        "The memory of a search grows at most with its number of evaluations to the "
        f"power of {format_number(found.mean)} "
        f"[{format_number(found.low)}, {format_number(found.high)}] ({most})."
    )
    return StudyVerdict(
        verdict, *found[:3], "power of the evaluations", told, tuple(rows)
    )


def fit_power(peaks: dict[int, int]) -> Interval:
    """Return the slope of log bytes over log evaluations, with its 95 % interval.

    Args:
        peaks: Bytes by number of evaluations, at three lengths or more.

    Returns:
        The exponent of the power law; `n` counts lengths.

    >>> round(fit_power({10: 100, 100: 1000, 1000: 10000}).mean, 9)
    1.0
    """
    x, y = np.log(np.array(sorted(peaks.items()), dtype=np.float64)).T
    away = x - x.mean()
    square = float((away**2).sum())
    slope = float(away @ y) / square
    rest = y - y.mean() - slope * away
    free = len(x) - 2  # a line has two parameters
    error = math.sqrt(float((rest**2).sum()) / free / square)
    half = float(t_critical(np.array(float(free)))) * error
    return Interval(slope, slope - half, slope + half, len(x))
