"""Detectors of searches: collapsed policies, lucky winners, negative transfer.

Source: Cawley and Talbot (2010), JMLR 11, on selecting by a noisy signal; Rosenstein
et al. (2005), NIPS workshop on inductive transfer, on transfer that hurts.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from engine.contract.events import Condition
from engine.contract.run_spec import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import (
    PER_STEP,
    BlockTable,
    baseline_learners,
    chosen_learners,
    is_control,
    is_trained,
)
from engine.stats.claims.calls import WORSE, Call, call_from_interval
from engine.stats.claims.run_questions import compare_pair
from engine.stats.diagnosis.finding import Finding
from engine.stats.diagnosis.search_budgets import space_size
from engine.stats.family_names import family_title
from engine.stats.independent_units import are_independent, regroup_units
from engine.stats.inference.comparison import Comparison
from engine.stats.inference.intervals import (
    Interval,
    finite_mean,
    mean_interval,
    scale_interval,
)
from engine.stats.inference.profiles import holm_levels
from engine.stats.learner_claims import SIGNIFICANCE
from engine.stats.verdicts.wording import (
    format_count,
    format_number,
    format_searches,
    join_words,
)

LOW, EARLY, AGAIN = 0.1, 0.3, 0.5  # of the entropy, the evaluations, the repeats
NAIVE = 0.9  # a mean over finishers below this share of the restricted mean misleads
LUCK = 0.01  # share of accuracy by which an incumbent's signal may exceed its score


def policy_collapse(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """15: a policy loses its entropy early and repeats the same architectures."""
    for learner in spec.learners:
        entropy = table.test_values(learner.label, "entropy", axes=PER_STEP)
        repeated = table.test_values(learner.label, "repeated")
        size = space_size(table, learner.label)
        if entropy is None or repeated is None or size < 2:
            continue
        highest = math.log(size)
        early = entropy[..., : max(1, math.ceil(EARLY * entropy.shape[-1]))]
        gone = np.nanmin(early, axis=-1) < LOW * highest
        stuck = gone & (repeated > AGAIN)
        yield Finding(
            15,
            "Policy collapse",
            learner.label,
            flagged=2 * int(stuck.sum()) > stuck.size,
            evidence=f"In the first {EARLY:.0%} of its evaluations the entropy of the "
            f"policy falls below {LOW:.0%} of the highest "
            f"({format_number(highest)} nats) in "
            f"{int(gone.sum())} of {format_searches(gone.size)}; "
            f"{float(repeated.mean()):.0%} of its evaluations repeat an earlier one.",
            remedy="Raise the entropy bonus or its floor, lower the rate, replay, or "
            "restart.",
        )


def unlearned_policy(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """14: validation does not improve, or the critic explains nothing."""
    for learner in chosen_learners(spec):
        checks = table.series(learner.label, "validate", "validation_regret")
        if checks is None or len(checks.step) < 2:
            continue
        score = finite_mean(checks.values, 0)
        critic = table.series(learner.label, "train", "explained_variance")
        late = None if critic is None else _late_mean(critic.values)
        heard = (
            ""
            if late is None
            else f"; the critic's explained variance is {format_number(late)}"
        )
        best = float(score[1:].min())
        yield Finding(
            14,
            "Policy not learning",
            learner.label,
            flagged=not best < score[0] or (late is not None and late < 0),
            evidence=f"Validation regret is {format_number(100 * float(score[0]))} "
            "points "
            f"before training and at best {format_number(100 * best)} after{heard}.",
            remedy="Train on more searches, or on more similar tasks; a critic whose "
            "explained variance is below 0 needs more training before it is used.",
        )


def _late_mean(values: Floats) -> float:
    late = values[:, values.shape[1] // 2 :]
    return float(finite_mean(late.ravel(), 0))


def negative_transfer(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """24: a trained strategy searches worse than an untrained one."""
    cold = [
        c.label for c in baseline_learners(spec) if not is_trained(table, spec, c.label)
    ]
    for learner in chosen_learners(spec):
        trained = is_trained(table, spec, learner.label)
        if is_control(learner) or not trained or not cold:
            continue
        rival = min(cold, key=lambda at: _mean_regret(table, at))
        found = _compare_conditions(table, spec, (learner.label, rival))
        if not found:
            continue
        worse = [each.place for each in found if each.call == WORSE]
        least = max(found, key=lambda each: each.points.mean)
        mean, low, high = map(format_number, least.points[:3])
        yield Finding(
            24,
            "Negative transfer",
            learner.label,
            flagged=bool(worse),
            evidence=f"By mean regret it is worse than {rival} under {len(worse)} of "
            f"{format_count(len(found), 'condition')}"
            f"{': ' + join_words(worse[:4]) if worse else ''}. At worst, on "
            f"{least.place}, it is {mean} points [{low}, {high}] higher.",
            remedy="Train on more similar tasks, or gate out knowledge that disagrees "
            "with the first evaluations.",
        )


def _mean_regret(table: BlockTable, label: str) -> float:
    rows = table.test_values(label, "regret_area")
    return float("inf") if rows is None else float(rows.mean())


class _ConditionCall(NamedTuple):
    """A call at one condition, and the difference of mean regret in points."""

    place: str
    call: Call
    points: Interval


def _compare_conditions(
    table: BlockTable, spec: RunSpec, pair: tuple[str, str]
) -> list[_ConditionCall]:
    rule, free = table.criterion, are_independent(table, spec, pair)
    gaps: list[tuple[str, Comparison, float]] = []
    for at in table.conditions():
        first, second = (table.test_values(label, "regret_area", at) for label in pair)
        if first is None or second is None or first.shape != second.shape or at.shift:
            continue
        gap = compare_pair(rule, first, second, free=free)
        margin = rule.margin_at("regret_area", float(second.mean()))
        gaps.append((_name_place(spec, at), gap, margin))
    # The more conditions are tested, the more likely one is worse by chance.
    clear = [min(gap.p(), gap.p_equal(margin)) for _, gap, margin in gaps]
    alphas = holm_levels(np.array(clear, np.float64), SIGNIFICANCE).tolist()
    return [
        _ConditionCall(
            place,
            call_from_interval(*gap.interval(alpha), margin),
            scale_interval(gap.mean_with_interval(alpha), 100.0),
        )
        for (place, gap, margin), alpha in zip(gaps, alphas, strict=True)
    ]


def _name_place(spec: RunSpec, condition: Condition) -> str:
    return (
        family_title(spec, condition.family)
        if condition.family
        else "the tasks in distribution"
    )


def lucky_winner(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """25: the incumbent was lucky: its signal is far above its score."""
    if spec.family.knobs.get("cap"):
        return  # a cap moves the incumbent for other reasons than its signal
    for learner in spec.learners:
        signal, score = (
            table.test_values(learner.label, name, axes=PER_STEP)
            for name in ("signal", "score")
        )
        if signal is None or score is None:
            continue
        luck = _optimism(signal, score)
        units = regroup_units(luck, is_trained(table, spec, learner.label))
        found = mean_interval(units)
        if not np.isfinite(found.low):
            continue
        lost = float(np.nanmean(np.nanmax(score, -1, initial=0.0) - score[..., -1]))
        yield Finding(
            25,
            "Lucky winner",
            learner.label,
            flagged=found.low > LUCK,
            evidence="From the first architecture to the chosen one the signal rose "
            f"{format_number(100 * found.mean)} points "
            f"[{format_number(100 * found.low)}, "
            f"{format_number(100 * found.high)}] more than the score; architectures "
            f"{format_number(100 * lost)} points better were held and replaced.",
            remedy="Before choosing, train the best few again with other seeds, or "
            "longer.",
        )


def _optimism(signal: Floats, score: Floats) -> Floats:
    """Return how much more the signal rose than the score, up to the incumbent.

    The incumbent was evaluated where the score last changed.
    """
    steps = np.arange(score.shape[-1])
    changed = np.diff(score, axis=-1, prepend=np.nan) != 0
    known = np.isfinite(score) & np.isfinite(signal)
    last = np.where(changed & known, steps, -1).max(-1, keepdims=True)
    first = np.where(known, steps, len(steps)).min(-1, keepdims=True)
    none = (last[..., 0] < 0) | (first[..., 0] >= len(steps))
    gap = signal - score
    ends = [
        np.take_along_axis(gap, np.clip(at, 0, len(steps) - 1), -1)[..., 0]
        for at in (first, last)
    ]
    return np.where(none, np.nan, ends[1] - ends[0])


def trained_on_test_task(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """28: a test task was already trained on, in this run or an earlier one."""
    for learner in chosen_learners(spec):
        met = table.number(learner.label, "train", "met_before")
        if met is None:
            continue
        yield Finding(
            28,
            "Learned on its test task",
            learner.label,
            flagged=met > 0,
            evidence=f"It was trained on {format_number(100 * met)} % of the test "
            "tasks.",
            remedy="Train on other tasks: a gain on the same ones is memory, not "
            "transfer.",
        )


def censored_goals(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """18: a mean over the searches that found the goal is too optimistic."""
    for learner in spec.learners:
        step = table.test_values(learner.label, "evaluations_to_goal")
        reached = table.test_values(learner.label, "reached")
        if step is None or reached is None:
            continue
        late = int((reached == 0).sum())
        honest = float(step.mean())
        naive = float(step[reached > 0].mean()) if reached.any() else math.nan
        told = (
            f"is {format_number(naive)} evaluations"
            if reached.any()
            else "does not exist"
        )
        yield Finding(
            18,
            "Censored mean",
            learner.label,
            flagged=not naive >= NAIVE * honest,  # NaN, if none found it, counts
            evidence=f"{late} of {format_searches(step.size)} never found the "
            "goal: the "
            f"mean of those that did {told}, the restricted mean "
            f"{format_number(honest)}.",
            remedy="Read the restricted mean (shown here) and the survival curve; an "
            "easier goal or more evaluations leave fewer searches censored.",
        )
