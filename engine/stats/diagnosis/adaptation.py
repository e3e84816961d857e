"""Detectors of few-shot learning: diverging inner loops, unstable outer loops."""

from collections.abc import Iterator

import numpy as np

from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import (
    PER_STEP,
    BlockTable,
    Series,
    chosen_learners,
    is_tuned,
    tuned_rates,
)
from engine.stats.diagnosis.finding import Finding, describe_rates
from engine.stats.inference.intervals import finite_mean
from engine.stats.task_metrics.few_shot import WORST
from engine.stats.verdicts.wording import format_count, format_number

PATIENCE, WORSE, MARGIN = 3, 1.1, 0.01  # validations, × the best, above the best
RISE, WORSE_SHARE = 3.0, 0.2  # × the first support loss, share of the episodes
# A jump is a norm 10 × the median of the 24 before; 1 % of these are too many.
JUMP, JUMP_SHARE, WINDOW, STRETCH = 10.0, 0.01, 25, 100
SAME = 1e-6  # relative: float32 rounding
FAIR = 1.01  # budgets are spent in whole steps: examples may differ by 1 %


def few_shot_overfitting(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """1: the validation error stays 10 % above its best while training improves."""
    for learner in chosen_learners(spec):
        checks = table.series(learner.label, "validate", "validation_error")
        lessons = table.series(learner.label, "train", "lesson_loss")
        if checks is None or lessons is None or len(checks.step) <= PATIENCE:
            continue
        score = finite_mean(checks.values, 0)
        # Where errors are at their cap, learning hardly changes them.
        if not np.isfinite(score).all() or score.max() >= WORST["query_mse"]:
            continue
        best = int(score.argmin())
        late = score[-PATIENCE:]
        falls = _is_falling(lessons, float(checks.step[best]))
        above = (late > WORSE * score[best]) & (late > score[best] + MARGIN)
        yield Finding(
            1,
            "Meta-overfitting",
            learner.label,
            flagged=bool(above.all()) and falls,
            evidence=f"The last {PATIENCE} validation errors are at least "
            f"{format_number(float(late.min()))}, the best was "
            f"{format_number(float(score[best]))}, "
            f"at meta-step {checks.step[best]:g}; the training loss "
            f"{'falls' if falls else 'does not fall'} after it.",
            remedy="Stop at the best validation (its weights are kept); train on more "
            "classes.",
        )


def _is_falling(lessons: Series, start: float) -> bool:
    after = finite_mean(lessons.values, 0)[lessons.step >= start]
    half = len(after) // 2
    return half > 0 and bool(after[half:].mean() < after[:half].mean())


def exploding_first_step(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """31: with the initial weights, the first inner step raises its own loss."""
    for learner in chosen_learners(spec):
        block = table.block(learner.label, "train", "first_step_ratio")
        if block is None:
            continue
        # An overflow is worse than any number, not a gap.
        ratios = np.nan_to_num(block.array, nan=np.inf, posinf=np.inf)
        typical, worst = np.quantile(ratios, (0.5, 0.9), method="inverted_cdf")
        start = spec.net.knobs.get("start", "not named")
        yield Finding(
            31,
            "Exploding first step",
            learner.label,
            flagged=bool(typical > RISE),
            evidence="Before meta-training, the first inner step multiplies the "
            f"support loss by {format_number(float(typical))} (median of "
            f"{format_count(ratios.size, 'validation episode')}; "
            f"{format_number(float(worst))} in the worst tenth) with the initial "
            f"weights {start}.",
            remedy="Choose initial weights that fit the net, such as torch_default "
            "for few inputs, or lower the inner rate.",
        )


def runaway_steps(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """7: inner losses blow up, or many episodes end worse than they began."""
    for learner in spec.learners:
        lost = table.test_values(learner.label, "diverged")
        gains = table.test_values(learner.label, "adaptation_gain")
        if lost is None or gains is None:
            continue
        gone, worse = int(lost.sum()), _count_worse(table, learner.label, gains)
        risen = _count_risen(table, learner)
        yield Finding(
            7,
            "Inner divergence",
            learner.label,
            flagged=gone + risen > 0 or worse > WORSE_SHARE * gains.size,
            evidence=f"Of {format_count(gains.size, 'episode')} in distribution {gone} "
            f"diverged, {risen} ended above {RISE:g} × their first support loss, "
            f"and {worse} of the others are answered worse after the inner steps than "
            "before.",
            remedy="Lower the inner rate, take as many inner steps as in "
            "meta-training, or clip the inner gradient.",
        )


def _count_worse(table: BlockTable, label: str, gains: Floats) -> int:
    """Count the episodes answered worse after the inner steps than before.

    For classes accuracy counts: one confident mistake raises the loss more than it
    changes the answers.
    """
    first = table.test_values(label, "start_accuracy")
    last = table.test_values(label, "final_accuracy")
    if first is None or last is None:
        return int((gains < 0).sum())
    return int((last < first).sum())


def _count_risen(table: BlockTable, learner: LearnerChoice) -> int:
    """Count the episodes whose support loss ended far above its first value."""
    loss = table.test_values(learner.label, "support_loss", axes=PER_STEP)
    taken = table.block(learner.label, "test", "gradient_evaluations")
    block = table.block(learner.label, "test", "support_loss")
    if loss is None or taken is None or block is None:
        return 0
    answers = np.broadcast_to(np.ravel(taken.array), len(loss)) / loss.shape[1]
    at, known = np.asarray(block.coordinates("step")), np.isfinite(loss).any((0, 1))
    risen = 0
    for rows, answer in zip(loss, answers, strict=True):
        # Traces go on past the answer; only the steps that led to it are judged.
        seen = rows[:, known & (at <= answer)]
        if seen.shape[1] > 1:
            risen += int((~(seen[:, -1] <= RISE * seen[:, 0])).sum())
    return risen


def outer_instability(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """8: outer gradients jump, or the training loss varies by more than its mean."""
    for learner in spec.learners:
        norms = table.series(learner.label, "train", "outer_grad_norm")
        losses = table.series(learner.label, "train", "lesson_loss")
        if norms is None or losses is None or norms.values.shape[1] < WINDOW:
            continue
        jumps = max(_jump_share(row) for row in norms.values)
        shaky = max(_relative_variation(row) for row in losses.values)
        yield Finding(
            8,
            "Outer instability",
            learner.label,
            flagged=jumps > JUMP_SHARE or shaky > 1.0,
            evidence=f"{jumps:.1%} of the outer gradients are longer than {JUMP:g} × "
            f"their running median; over {STRETCH} meta-steps the training loss varies "
            f"by up to {format_number(shaky)} × its mean (standard deviation).",
            remedy="Clip the outer gradient at 1 to 10, lower or decay the outer rate, "
            "or use more tasks per step.",
        )


def _jump_share(norms: Floats) -> float:
    """Return the share of norms far above the median of those just before.

    The comparison is negated, so that a NaN counts as a jump.
    """
    windows = np.lib.stride_tricks.sliding_window_view(norms[:-1], WINDOW - 1)
    before = np.median(windows, axis=1)
    return float((~(norms[WINDOW - 1 :] <= JUMP * before)).mean())


def _relative_variation(losses: Floats) -> float:
    """Return the largest ratio of standard deviation to mean within any stretch."""
    size = min(STRETCH, len(losses))
    parts = losses[: len(losses) // size * size].reshape(-1, size)
    mean = np.maximum(np.abs(parts.mean(axis=1)), 1e-12)
    found = float((parts.std(axis=1) / mean).max())
    return found if np.isfinite(found) else float("inf")


def false_second_order(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """9: second derivatives do not change the meta-gradient."""
    for learner in spec.learners:
        cosines = table.series(learner.label, "validate", "meta_cosine")
        if cosines is None or not np.isfinite(cosines.values).any():
            continue
        low = float(np.nanmin(cosines.values))
        yield Finding(
            9,
            "False second order",
            learner.label,
            flagged=low > 1.0 - SAME,
            evidence="The cosine between the meta-gradients with and without second "
            f"derivatives is at least {low:.6f} in "
            f"{format_count(cosines.values.size, 'validation')}.",
            remedy="Without inner steps, or with a linear net, this is expected; "
            "otherwise the graph of the inner gradients was cut.",
        )


def unequal_data(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """17: learners were shown different numbers of training examples."""
    seen = {
        c.label: table.number(c.label, "train", "examples_seen") for c in spec.learners
    }
    known = {label: count for label, count in seen.items() if count}
    if len(known) < 2:
        return
    told = ", ".join(f"{label} {count:,.0f}" for label, count in known.items())
    spent = ", ".join(f"{label} {_gradients_spent(table, label):,}" for label in known)
    yield Finding(
        17,
        "Hidden budget",
        next(iter(known)),
        flagged=max(known.values()) > FAIR * min(known.values()),
        evidence=f"Examples seen in training: {told}; gradients in training and "
        f"tuning: {spent}.",
        remedy="Give all the same number of training examples, or say what differs.",
    )


def _gradients_spent(table: BlockTable, label: str) -> int:
    return table.gradients_spent(label, "train") + table.gradients_spent(label, "tune")


def few_shot_starvation(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """19: fewer than 100 episodes were drawn in meta-training."""
    for learner in chosen_learners(spec):
        lessons = table.series(learner.label, "train", "lesson_loss")
        if lessons is None:
            continue
        steps = len(np.unique(lessons.step))
        tasks = steps * spec.budget.tasks_per_step
        yield Finding(
            19,
            "Task starvation",
            learner.label,
            flagged=tasks < STRETCH,
            evidence=f"Each replicate drew {tasks:,} episodes in {steps:,} meta-steps.",
            remedy=f"Draw at least {STRETCH} episodes: a larger budget or more tasks "
            "per step.",
        )


def few_shot_rate_at_edge(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """16: the rate chosen on validation episodes is at the edge of the range."""
    for learner in spec.learners:
        tried = table.block(learner.label, "tune", "tuning_error")
        found = tuned_rates(table, learner.label)
        if not is_tuned(learner) or tried is None or found is None:
            continue
        rates = tried.coordinates("rate")
        low, high = min(rates) * (1 + SAME), max(rates) * (1 - SAME)
        edge = bool(((found <= low) | (found >= high)).any())
        told = _tuned_steps_in_words(table, learner.label)
        yield Finding(
            16,
            "Untuned baseline",
            learner.label,
            edge,
            evidence=f"{describe_rates(found)} of {len(rates)} tried, from "
            f"{min(rates):.3g} to {max(rates):.3g}{', at the edge' if edge else ''}"
            f"{told}, chosen on "
            f"{format_count(spec.budget.tuning_tasks, 'validation episode')}.",
            remedy="Widen the range of rates, or tune on more episodes.",
        )


def _tuned_steps_in_words(table: BlockTable, label: str) -> str:
    """Return the tuned numbers of inner steps, such as ", 5 to 20 inner steps"."""
    block = table.block(label, "tune", "tuned_steps")
    if block is None:
        return ""
    low, high = (int(end(np.asarray(block.array))) for end in (np.min, np.max))
    return f", {low}{f' to {high}' if high > low else ''} inner steps"
