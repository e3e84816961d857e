"""Judges of task similarity: savings on near and far targets, and of a gate."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from engine.stats.array_types import Floats
from engine.stats.claims_board.savings import COLD, CONTROL, WARM
from engine.stats.claims_board.study_verdict import (
    FEW,
    FinishedRun,
    SourceTarget,
    StudyVerdict,
    Verdict,
    VerdictRow,
    jackknife_interval,
    mean_over_units,
    percent_saved,
    source_targets,
    table_row,
    undecided_verdict,
    verdict_by_sign,
)
from engine.stats.inference.intervals import Interval
from engine.stats.verdicts.wording import format_number

GATED = "gated"
KIN = "kinship"
LEAST = 1e-4  # lower bound of a mean regret, so that its log stays finite


class TargetRegrets(NamedTuple):
    """A source and target with each learner's mean regret, by training."""

    place: SourceTarget
    similarity: float
    regrets: dict[str, Floats]

    def gap(self, label: str, rival: str = COLD, without: int | None = None) -> float:
        """Return the log ratio of two mean regrets, without one training if given.

        All searches are averaged first: the mean ratio of few searches is biased
        upwards even where two strategies are equal.
        """
        rows = (self.regrets[label], self.regrets[rival])
        kept = [np.delete(r, [] if without is None else without) for r in rows]
        mine, theirs = (max(float(row.mean()), LEAST) for row in kept)
        return float(np.log(mine / theirs))

    @property
    def tasks(self) -> set[str]:
        """Return its tasks, which other pairs may share."""
        return {self.place.source, self.place.target}


def judge_near_domains(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the rank correlation between similarity and savings."""
    pairs = [p for p in _target_regrets(runs) if WARM in p.regrets]
    if len({p.similarity for p in pairs}) < 3:
        return undecided_verdict("fewer than three similarities were measured")
    found = _similarity_effect(pairs)
    verdict = verdict_by_sign(found)
    near, far = _split_at_median(pairs)
    rows = [_pair_row(p, WARM) for p in sorted(pairs, key=lambda p: -p.similarity)]
    halves = (("near targets", near), ("far targets", far))
    ends = [_mean_saving(half, WARM) for _, half in halves]
    rows += [table_row(at, mean) for (at, _), mean in zip(halves, ends, strict=True)]
    rows += [
        table_row(f"{at}, sources shuffled (control)", _mean_saving(half, CONTROL))
        for at, half in halves
        if all(CONTROL in p.regrets for p in half)
    ]
    trend = {
        "not supported": "Savings fall with similarity",
        "can't tell yet": "Whether savings rise with similarity is open",
    }.get(verdict, "Savings rise with similarity")
    told = (
        f"{trend}: rank correlation {format_number(found.mean)} "
        f"[{format_number(found.low)}, {format_number(found.high)}]. On near targets "
        f"transfer saves {_format_percent(ends[0])} of the mean regret, on far ones "
        f"{_format_percent(ends[1])}."
    )
    return StudyVerdict(verdict, *found[:3], "rank correlation", told, tuple(rows))


def judge_adaptation(runs: Sequence[FinishedRun]) -> StudyVerdict:
    """Judge by the savings on far targets with and without a gate."""
    pairs = [p for p in _target_regrets(runs) if {WARM, GATED} <= set(p.regrets)]
    if len({p.similarity for p in pairs}) < 2:
        return undecided_verdict("no two similarities were measured")
    _, far = _split_at_median(pairs)
    plain, gated = _mean_saving(far, WARM), _mean_saving(far, GATED)
    helps = _mean_saving(far, GATED, WARM)
    verdict: Verdict = "depends"
    if plain.low > 0:
        verdict = "not supported"
    elif helps.low > 0:
        verdict = "supported"
    rows = [_pair_row(p, label) for p in far for label in (WARM, GATED)]
    told = (
        f"On far targets a warm start saves {_format_percent(plain)} of the mean "
        "regret without a gate "
        f"and {_format_percent(gated)} with one; the gate itself saves "
        f"{_format_percent(helps)}."
    )
    unit = "% of the mean regret, saved by the gate on far targets"
    return StudyVerdict(verdict, *helps[:3], unit, told, tuple(rows))


def _target_regrets(runs: Sequence[FinishedRun]) -> list[TargetRegrets]:
    known = _known_scores(runs)
    found = []
    for at in source_targets(runs):
        similarity = _similarity(at, known)
        if at.source == at.target and KIN not in at.family.knobs:
            continue  # the source itself: that is not transfer
        rows = {x: at.values_of(x, "regret_area") for x in (COLD, WARM, GATED, CONTROL)}
        means = {x: mine.mean(1) for x, mine in rows.items() if mine is not None}
        if COLD in means and np.isfinite(similarity):
            found.append(TargetRegrets(at, similarity, means))
    return found


def _known_scores(runs: Sequence[FinishedRun]) -> dict[str, Floats]:
    """Return every architecture's accuracy on the tasks that have a film."""
    known = {}
    for at in source_targets(runs):
        film = at.run.film("film") if not at.condition.family else None
        if film is not None and "scores" in film.arrays:
            known[at.target] = np.asarray(film.arrays["scores"], dtype=np.float64)
    return known


def _similarity(at: SourceTarget, known: dict[str, Floats]) -> float:
    if KIN in at.family.knobs:
        return float(at.family.knobs[KIN])
    if at.source not in known or at.target not in known:
        return float("nan")
    return rank_correlation(known[at.source], known[at.target])


def rank_correlation(first: Floats, second: Floats) -> float:
    """Return Spearman's rank correlation.

    Args:
        first: Shape (item,).
        second: Same shape; items with a NaN in either are left out.

    Returns:
        From −1 to 1; NaN where one of them is constant.

    >>> rank_correlation(np.array([1.0, 2.0, 9.0]), np.array([1.0, 4.0, 5.0]))
    1.0
    """
    from scipy.stats import rankdata

    there = np.isfinite(first) & np.isfinite(second)
    a, b = (rankdata(x[there]) for x in (first, second))
    a, b = a - a.mean(), b - b.mean()
    scale = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return round(float((a * b).sum()) / scale, 12) if scale else float("nan")


def _similarity_effect(pairs: Sequence[TargetRegrets]) -> Interval:
    """Return the correlation of similarity and savings, over targets of each source."""
    rows: dict[str, list[TargetRegrets]] = {}
    for pair in pairs:
        rows.setdefault(pair.place.source, []).append(pair)
    if sum(len(row) >= 3 for row in rows.values()) >= FEW:
        return _over_tasks(pairs, _within_sources)
    return mean_over_units(
        [_correlation(pairs, at) for at in range(_training_count(pairs))]
    )


def _within_sources(pairs: Sequence[TargetRegrets]) -> float:
    rows: dict[str, list[TargetRegrets]] = {}
    for pair in pairs:
        rows.setdefault(pair.place.source, []).append(pair)
    return float(np.mean([_correlation(r) for r in rows.values() if len(r) >= 3]))


def _correlation(pairs: Sequence[TargetRegrets], only: int | None = None) -> float:
    """Return the rank correlation of similarity and savings, of one training or all."""
    if only is not None:
        pairs = [_select_training(p, only) for p in pairs]
    gains = np.array([-p.gap(WARM) for p in pairs])
    return rank_correlation(np.array([p.similarity for p in pairs]), gains)


def _select_training(pair: TargetRegrets, at: int) -> TargetRegrets:
    return pair._replace(regrets={x: r[at : at + 1] for x, r in pair.regrets.items()})


def _training_count(pairs: Sequence[TargetRegrets]) -> int:
    return min(len(pair.regrets[WARM]) for pair in pairs)


def _over_tasks(
    pairs: Sequence[TargetRegrets], value: Callable[[Sequence[TargetRegrets]], float]
) -> Interval:
    """Return a statistic of pairs, which share tasks, with its interval over tasks.

    A task is left out as a source and as a target at once.
    """
    tasks = sorted({task for pair in pairs for task in pair.tasks})
    rest = [[p for p in pairs if task not in p.tasks] for task in tasks]
    return jackknife_interval(value(pairs), [value(some) for some in rest if some])


def _split_at_median(
    pairs: Sequence[TargetRegrets],
) -> tuple[list[TargetRegrets], list[TargetRegrets]]:
    """Split at the median of the similarities."""
    middle = float(np.median([p.similarity for p in pairs]))
    far = [p for p in pairs if p.similarity < middle]
    return [p for p in pairs if p.similarity >= middle], far


def _mean_saving(
    pairs: Sequence[TargetRegrets], label: str, rival: str = COLD
) -> Interval:
    """Return the percentage saved, by the mean log ratio, over tasks or trainings."""

    def mean(some: Sequence[TargetRegrets], without: int | None = None) -> float:
        return float(np.mean([p.gap(label, rival, without) for p in some]))

    if len(pairs) >= FEW:
        return percent_saved(_over_tasks(pairs, mean))
    rest = [mean(pairs, at) for at in range(_training_count(pairs))]
    return percent_saved(jackknife_interval(mean(pairs), rest if len(rest) > 1 else []))


def _pair_row(pair: TargetRegrets, label: str) -> VerdictRow:
    where = f"{pair.place.source} → {pair.place.target}"
    if pair.place.source == pair.place.target:
        where = pair.place.target
    about = f"{where}, {label} (similarity {pair.similarity:.2f})"
    return table_row(about, _mean_saving([pair], label))


def _format_percent(interval: Interval) -> str:
    mean, low, high = (format_number(value) for value in interval[:3])
    return f"{mean} % [{low}, {high}]"
