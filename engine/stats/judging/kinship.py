"""Where transfer works: near against far places, with and without adaptation."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from engine.stats.arrays import Floats
from engine.stats.intervals import Interval, scaled
from engine.stats.judging.judgment import (
    Judgment,
    Place,
    Played,
    Verdict,
    line,
    nothing,
    over,
    places,
)
from engine.stats.judging.saving import COLD, CONTROL, WARM
from engine.stats.wording import number

GATED = "gated"
FEW = 4  # places or sources; with fewer the trainings are what varies
KIN = "kinship"


class Pair(NamedTuple):
    """A place, how alike source and target are, and each learner's saved share."""

    place: Place
    similarity: float
    saved: dict[str, Floats]


def near_domains(runs: Sequence[Played]) -> Judgment:
    """Judge by the rank correlation between similarity and what is saved."""
    pairs = [p for p in _pairs(runs) if WARM in p.saved]
    if len({p.similarity for p in pairs}) < 3:
        return nothing("fewer than three similarities were measured")
    found = over(_correlations(pairs))
    verdict: Verdict = "supported" if found.low > 0 else "not supported"
    near, far = _halves(pairs)
    rows = [_line(p, WARM) for p in sorted(pairs, key=lambda p: -p.similarity)]
    halves = (("near places", near), ("far places", far))
    ends = [_mean(half, WARM) for _, half in halves]
    rows += [line(at, _percent(m)) for (at, _), m in zip(halves, ends, strict=True)]
    rows += [
        line(f"{at}, sources shuffled (control)", _percent(_mean(half, CONTROL)))
        for at, half in halves
        if all(CONTROL in p.saved for p in half)
    ]
    told = (
        f"The nearer, the more: rank correlation {number(found.mean)} "
        f"[{number(found.low)}, {number(found.high)}]. Near places save "
        f"{_told(ends[0])} of the mean regret, far ones {_told(ends[1])}."
    )
    if verdict != "supported":
        told = told.replace("The nearer, the more", "No sure order by similarity")
    return Judgment(verdict, *found[:3], "rank correlation", told, tuple(rows))


def adaptation(runs: Sequence[Played]) -> Judgment:
    """Judge by what far places save with and without a gate."""
    pairs = [p for p in _pairs(runs) if {WARM, GATED} <= set(p.saved)]
    if len({p.similarity for p in pairs}) < 2:
        return nothing("no two similarities were measured")
    _, far = _halves(pairs)
    plain, gated = _mean(far, WARM), _mean(far, GATED)
    helps = _gap(far)
    verdict: Verdict = "depends"
    if plain.low > 0:
        verdict = "not supported"
    elif helps.low > 0:
        verdict = "supported"
    rows = [_line(p, label) for p in far for label in (WARM, GATED)]
    told = (
        f"On far places a warm start saves {_told(plain)} of the mean regret as it is, "
        f"and {_told(gated)} with a gate: {_told(helps)} more."
    )
    unit = "% of the mean regret, saved by the gate on far places"
    return Judgment(verdict, *_percent(helps)[:3], unit, told, tuple(rows))


def _pairs(runs: Sequence[Played]) -> list[Pair]:
    known = _scores(runs)
    found = []
    for at in places(runs):
        similarity = _similarity(at, known)
        if at.source == at.target and KIN not in at.family.knobs:
            continue  # what was learned on is no transfer
        cold = at.of(COLD, "regret_area")
        rows = {x: at.of(x, "regret_area") for x in (WARM, GATED, CONTROL)}
        if cold is None or not np.isfinite(similarity):
            continue
        saved = {
            label: 1.0 - mine.mean(1) / np.maximum(cold.mean(1), 1e-12)
            for label, mine in rows.items()
            if mine is not None
        }
        found.append(Pair(at, similarity, saved))
    return found


def _scores(runs: Sequence[Played]) -> dict[str, Floats]:
    """Return every architecture's accuracy on the tasks that some run is held on."""
    known = {}
    for at in places(runs):
        film = at.run.film("film") if not at.condition.family else None
        if film is not None and "scores" in film.arrays:
            known[at.target] = np.asarray(film.arrays["scores"], dtype=np.float64)
    return known


def _similarity(at: Place, known: dict[str, Floats]) -> float:
    if KIN in at.family.knobs:
        return float(at.family.knobs[KIN])
    if at.source not in known or at.target not in known:
        return float("nan")
    return rank_correlation(known[at.source], known[at.target])


def rank_correlation(first: Floats, second: Floats) -> float:
    """Return Spearman's rank correlation of what both have; NaN for a constant.

    >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([1.0, 4.0, 5.0]))
    1.0
    """
    from scipy.stats import rankdata

    there = np.isfinite(first) & np.isfinite(second)
    a, b = (rankdata(x[there]) for x in (first, second))
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return round(float((a * b).sum()) / scale, 12) if scale else float("nan")


def _correlations(pairs: Sequence[Pair]) -> list[float]:
    """Return one correlation a source; with few sources, one a training."""
    rows: dict[str, list[Pair]] = {}
    for pair in pairs:
        rows.setdefault(pair.place.source, []).append(pair)
    long = [row for row in rows.values() if len(row) >= 3]
    if len(long) >= FEW:
        return [_correlation(row, _saved(row)) for row in long]
    trainings = min(len(pair.saved[WARM]) for pair in pairs)
    return [_correlation(pairs, [p.saved[WARM][r] for p in pairs])
            for r in range(trainings)]  # fmt: skip


def _correlation(pairs: Sequence[Pair], saved: Sequence[float]) -> float:
    return rank_correlation(
        np.array([p.similarity for p in pairs]), np.asarray(saved, dtype=np.float64)
    )


def _saved(pairs: Sequence[Pair], label: str = WARM) -> list[float]:
    return [float(p.saved[label].mean()) for p in pairs]


def _halves(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """Split at the median of the similarities."""
    middle = float(np.median([p.similarity for p in pairs]))
    far = [p for p in pairs if p.similarity < middle]
    return [p for p in pairs if p.similarity >= middle], far


def _mean(pairs: Sequence[Pair], label: str) -> Interval:
    """Return the mean saved share, over places or, with few, over trainings."""
    if len(pairs) >= FEW:
        return over(_saved(pairs, label))
    return over(np.mean([p.saved[label] for p in pairs], axis=0))


def _gap(pairs: Sequence[Pair]) -> Interval:
    gaps = [p.saved[GATED] - p.saved[WARM] for p in pairs]
    return over([float(g.mean()) for g in gaps] if len(gaps) >= FEW
                else np.mean(gaps, axis=0))  # fmt: skip


def _line(pair: Pair, label: str) -> dict[str, str | float | int]:
    where = f"{pair.place.source} → {pair.place.target}"
    if pair.place.source == pair.place.target:
        where = pair.place.target
    about = f"{where}, {label} (similarity {pair.similarity:.2f})"
    return line(about, _percent(over(pair.saved[label])))


def _percent(found: Interval) -> Interval:
    return scaled(found, 100.0)


def _told(found: Interval) -> str:
    mean, low, high = (number(100 * value) for value in found[:3])
    return f"{mean} % [{low}, {high}]"
