"""Detectors of meta-training: overfitting, exploding unrolls, too few tasks."""

from collections.abc import Iterator
from math import ceil

import numpy as np

from engine.contract.run_spec import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable, chosen_learners
from engine.stats.diagnosis.finding import Finding
from engine.stats.inference.intervals import finite_mean, t_critical
from engine.stats.task_metrics.optimization import CEILING
from engine.stats.verdicts.wording import format_number

PATIENCE = 3  # validations in a row that must be worse than the best
WORSE = float(np.log(1.1))  # 10 % above the best, on the log scale of `validation`
TOP = float(np.log(CEILING))  # of the log loss, ln nats
TAIL = 10.0  # variance of gradient norms over their running median
WINDOW = 25  # meta-steps of that median; odd, so that it is centered
FEWEST_TASKS = 100


def meta_overfitting(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """1: validation stays 10 % above its best while meta-training still falls."""
    for learner in chosen_learners(spec):
        checks = table.series(learner.label, "validate", "validation")
        losses = table.series(learner.label, "train", "meta_loss")
        if checks is None or losses is None or len(checks.step) <= PATIENCE:
            continue
        score = finite_mean(checks.values, 0)
        # At the ceiling of the log loss, learning cannot be seen.
        if not np.isfinite(score).all() or score.max() >= TOP:
            continue
        best = int(score.argmin())
        above = score[-PATIENCE:] - score[best]
        after = losses.step >= checks.step[best]
        trend = least_squares_slope(
            losses.step[after], finite_mean(losses.values, 0)[after]
        )
        yield Finding(
            1,
            "Meta-overfitting",
            learner.label,
            flagged=bool((above > WORSE).all() and trend < 0),
            evidence=f"The last {PATIENCE} validations are at least "
            f"{format_number(above.min())} ln nats above the best, at meta-step "
            f"{checks.step[best]:g}; the training loss "
            f"{'falls' if trend < 0 else 'does not fall'} after it.",
            remedy="Stop at the best validation (its weights are kept); draw more "
            "tasks.",
        )


def exploding_unroll(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """10: gradients through the unroll are heavy-tailed, as in chaotic dynamics.

    Chaotic unrolls make the gradient's variance grow with every step. One run has
    one length, so its tail is judged: how the norm varies around its running
    median. `measure_growth` compares two lengths.
    """
    if spec.estimator.name != "unroll":
        return
    for learner in chosen_learners(spec):
        norms = table.series(learner.label, "train", "outer_grad_norm")
        if norms is None or norms.values.shape[1] < WINDOW:
            continue
        tail = float(np.median([_tail_variance(row) for row in norms.values]))
        shown = format_number(tail) if np.isfinite(tail) else "infinite"
        yield Finding(
            10,
            "Exploding unroll",
            learner.label,
            flagged=not tail <= TAIL,
            evidence="The variance of the outer gradient norms, each divided by its "
            f"running median, is {shown} (a stable unroll stays below {TAIL:g}).",
            remedy="Use PES or ES, which need no gradient through the unroll, "
            "or shorten it.",
        )


def _tail_variance(norms: Floats) -> float:
    if not np.isfinite(norms).all():
        return float("inf")
    padded = np.pad(norms, WINDOW // 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)
    middle = np.median(windows, axis=1)
    safe = np.where(middle > 0, middle, 1.0)  # norms of 0 stay 0
    return float(np.var(norms / safe))


def idle_policy(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """14: the return does not rise, or the critic is worse than predicting the mean."""
    for learner in chosen_learners(spec):
        gains = table.series(learner.label, "train", "return")
        if gains is None or gains.values.shape[1] < 3:
            continue
        center, half = _total_change(gains.step, gains.values)
        critic = table.series(learner.label, "train", "explained_variance")
        late = None if critic is None else _late_mean(critic.values)
        blind = late is not None and late < 0
        heard = (
            ""
            if late is None
            else f"; the critic's explained variance is {format_number(late)}"
        )
        yield Finding(
            14,
            "Policy not learning",
            learner.label,
            flagged=bool(not center - half > 0) or blind,
            evidence=f"The return changes by {format_number(center)} ± "
            f"{format_number(half)} ln nats "
            f"over the whole training (95 %){heard}.",
            remedy="Use more tasks per step, a lower rate, or PES; a critic whose "
            "explained variance is below 0 needs more training before it is used.",
        )


def _total_change(step: Floats, values: Floats) -> tuple[float, float]:
    """Return the linear change over the whole training and its 95 % half-width."""
    x = (step - step.mean()) / max(float(np.ptp(step)), 1.0)
    square = float((x**2).sum())
    each = values @ x / square
    # Replicates are independent; of a single one the residuals have to do.
    if len(values) > 1:
        df, error = len(each) - 1, float(each.std(ddof=1)) / len(each) ** 0.5
    else:
        rest = values[0] - values[0].mean() - each[0] * x
        df = max(1, len(x) - 2)
        error = float(np.sqrt((rest**2).sum() / df / square))
    return float(each.mean()), float(t_critical(np.array(float(df)))) * error


def _late_mean(values: Floats) -> float:
    late = values[:, values.shape[1] // 2 :]
    return float(finite_mean(late.ravel(), 0))


def least_squares_slope(x: Floats, y: Floats) -> float:
    """Return the least-squares slope; 0 for fewer than two points.

    Args:
        x: Shape (point,), not all equal.
        y: Shape (point,).

    Returns:
        Slope, in units of y per unit of x.

    >>> least_squares_slope(np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 5.0]))
    2.0
    """
    if len(x) < 2:
        return 0.0
    away = x - x.mean()
    return float((away * y).sum() / (away**2).sum())


def starvation(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """19: fewer than 100 distinct tasks were seen in meta-training."""
    for learner in chosen_learners(spec):
        losses = table.series(learner.label, "train", "meta_loss")
        if losses is None:
            continue
        steps = len(np.unique(losses.step))
        rounds = ceil(steps / _segments(spec))
        tasks = rounds * spec.budget.tasks_per_step * _tasks_per_draw(spec)
        yield Finding(
            19,
            "Task starvation",
            learner.label,
            flagged=tasks < FEWEST_TASKS,
            evidence=f"Each replicate saw {tasks:,} distinct tasks in {steps:,} "
            f"meta-steps.",
            remedy=f"Give it at least {FEWEST_TASKS} tasks: a larger budget or more "
            "tasks per step.",
        )


def _tasks_per_draw(spec: RunSpec) -> int:
    """Return how many tasks are drawn for each task of the budget."""
    knobs = spec.estimator.knobs
    return 1 if knobs.get("shared", True) else int(knobs.get("pairs", 1))


def _segments(spec: RunSpec) -> int:
    """Return how many consecutive updates use the same tasks."""
    knobs = spec.estimator.knobs
    horizon = spec.budget.horizon
    length = knobs.get("unroll", knobs.get("length", horizon))
    return ceil(horizon / min(int(length), horizon))
