"""Detectors of the meta-test: divergence, saturated rates, censored means."""

from collections.abc import Iterator

import numpy as np

from engine.contract.events import Condition
from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import PER_STEP, BlockTable, chosen_learners
from engine.stats.condition_words import describe_condition
from engine.stats.diagnosis.finding import (
    Finding,
    RateControl,
    best_fixed_rate,
    rate_control,
)
from engine.stats.inference.intervals import finite_mean
from engine.stats.task_metrics.optimization import CEILING, clamped_log
from engine.stats.verdicts.wording import format_number

RISE, GROWTH, WORSE_SHARE = 3.0, 10.0, 0.2  # × first loss, × weights, of the tasks
EARLY, TINY = 0.2, 0.1  # share of the steps, share of the best fixed rate
EDGE, SATURATED = 0.05, 0.9  # share of the range near a bound, of the actions there
TOP = float(np.log(CEILING))  # of the log loss, ln nats
NAIVE = 0.9  # a mean over finishers below this share of the restricted mean misleads


def divergence(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """7: losses blow up, weights run away, or many tasks end worse than they began.

    A loss that rises to three times its start and recovers is reported but not
    flagged: a well-tuned rate at the edge of stability begins like that.
    """
    for learner in spec.learners:
        loss = table.test_values(learner.label, "loss", axes=PER_STEP)
        if loss is None:
            continue
        first, last = loss[..., 0], loss[..., -1]
        # Negated, so that a NaN counts as worse.
        gone, worse = int(np.isnan(last).sum()), int((~(last <= first)).sum())
        peaked = (loss > RISE * first[..., None]).any(axis=-1)
        risen, stuck = int(peaked.sum()), int((peaked & (last > first)).sum())
        grown = _count_grown(
            table.test_values(learner.label, "weight_norm", axes=PER_STEP)
        )
        members = first.size
        yield Finding(
            7,
            "Inner divergence",
            learner.label,
            flagged=gone + stuck + grown > 0 or worse > WORSE_SHARE * members,
            evidence=f"Of {members} tasks in distribution {gone} diverged, {risen} "
            f"rose above {RISE:g} × their first loss, {worse} ended above it, and in "
            f"{grown} the weight norm grew {GROWTH:g}-fold."
            f"{_describe_worst(table, spec, learner)}",
            remedy="Lower the learning rate, or clip the gradient.",
        )


def _count_grown(norm: Floats | None) -> int:
    if norm is None:
        return 0
    return int((norm > GROWTH * norm[..., :1]).any(axis=-1).sum())


def _describe_worst(table: BlockTable, spec: RunSpec, learner: LearnerChoice) -> str:
    counts: dict[Condition, int] = {}
    for condition in table.conditions():
        rows = table.test_values(learner.label, "diverged", condition)
        if rows is not None and (condition.shift or condition.family):
            counts[condition] = int(rows.sum())
    worst = max(counts, key=lambda c: counts[c], default=None)
    if worst is None or not counts[worst]:
        return ""
    where = f"{'under' if worst.shift else 'on'} {describe_condition(worst, spec)}"
    return f" Most diverged {where}: {counts[worst]}."


def short_horizon(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """11: the rate falls early below a tenth of the best fixed one, at a loss."""
    for learner in chosen_learners(spec):
        acts = rate_control(table, learner)
        rival, best = best_fixed_rate(table, spec, learner)
        ends = [
            table.test_values(label, "final_loss") for label in (learner.label, rival)
        ]
        if acts is None or not best > 0 or ends[0] is None or ends[1] is None:
            continue
        rate = acts.lr * np.exp(_mean_log(acts))
        early = rate[: max(1, int(EARLY * len(rate)))]
        mine, other = (
            float(clamped_log(end).mean()) for end in ends if end is not None
        )
        # At the ceiling of the log loss, both blew up: no horizon is to blame.
        if mine >= TOP or other >= TOP:
            continue
        lowest = float(np.nanmin(early)) / best
        yield Finding(
            11,
            "Short-horizon bias",
            learner.label,
            flagged=lowest < TINY and mine > other,
            evidence=f"In the first {EARLY:.0%} of the steps the learned rate falls to "
            f"{lowest:.2g} × the best fixed rate ({best:.3g}); its final log loss "
            f"is {format_number(mine)} against {format_number(other)}.",
            remedy="Train over the full horizon: PES, or a longer unroll.",
        )


def _mean_log(acts: RateControl) -> Floats:
    # A scale of 0 is possible; the bound keeps its log finite.
    logs = np.log(np.maximum(acts.scale, 1e-30)).mean(axis=-1)
    return finite_mean(logs, 0)


def saturation(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """13: the controller stays at its bounds, or cannot reach the best fixed rate."""
    for learner in chosen_learners(spec):
        acts, limits = rate_control(table, learner), _scale_limits(table, learner)
        if acts is None or limits is None:
            continue
        share = _share_at_bound(acts.scale, *limits)
        low, high = (acts.lr * limit for limit in limits[:2])
        _, best = best_fixed_rate(table, spec, learner)
        outside = bool(best < low or best > high)
        aim = f"; the best fixed rate is {best:.3g}" if best > 0 else ""
        yield Finding(
            13,
            "Saturated controller",
            learner.label,
            flagged=share > SATURATED or outside,
            evidence=f"{share:.0%} of its actions lie within {EDGE:.0%} of a bound; it "
            f"reaches rates from {low:.3g} to {high:.3g}{aim}.",
            remedy="Choose a base rate that brings the best fixed rate within reach, "
            "or widen the span.",
        )


def _scale_limits(
    table: BlockTable, learner: LearnerChoice
) -> tuple[float, float, bool] | None:
    """Return the smallest and largest scale, and whether the range is logarithmic."""
    low = table.number(learner.label, "train", "scale_low")
    high = table.number(learner.label, "train", "scale_high")
    return None if low is None or high is None else (low, high, low > 0)


def _share_at_bound(scale: Floats, low: float, high: float, logs: bool) -> float:
    seen = scale[np.isfinite(scale)]
    if not seen.size:
        return 0.0
    if logs:
        seen, low, high = np.log(np.maximum(seen, 1e-30)), np.log(low), np.log(high)
        half = (high - low) / 2
        near = EDGE * half
    else:
        near = EDGE * (high - low)
    return float(((seen <= low + near) | (seen >= high - near)).mean())


def censored_means(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """18: a mean over the tasks that reached the threshold is too optimistic."""
    for learner in spec.learners:
        step = table.test_values(learner.label, "steps_to_threshold")
        reached = table.test_values(learner.label, "reached")
        if step is None or reached is None or not reached.any():
            continue
        naive = float(step[reached > 0].mean())
        honest = float(step.mean())
        late = int((reached == 0).sum())
        yield Finding(
            18,
            "Censored mean",
            learner.label,
            flagged=naive < NAIVE * honest,
            evidence=f"{late} of {step.size} tasks never reached the threshold: the "
            f"mean of those that did is {format_number(naive)} steps, the restricted "
            f"mean {format_number(honest)}.",
            remedy="Read the restricted mean (shown here) and the survival curve; a "
            "looser threshold or a longer horizon leaves fewer tasks censored.",
        )


def changed_frozen_learner(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """20: the frozen learner changed during the tests."""
    for learner in chosen_learners(spec):
        changed = table.number(learner.label, "test", "thawed")
        if changed is None:
            continue
        verb = "differ" if changed else "are equal"
        yield Finding(
            20,
            "Frozen learner changed",
            learner.label,
            flagged=changed > 0,
            evidence=f"Its digests at freezing and after the last test {verb}.",
            remedy="A test must not train: report this as a bug; the numbers of this "
            "learner are invalid.",
        )
