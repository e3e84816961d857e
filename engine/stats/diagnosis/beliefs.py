"""Detectors of learners that are surer than they should be, or not unsure at all.

The spread of a learner that only predicts values was measured on validation episodes;
it can be too small for the tests, but says nothing of the learner's own doubts.
"""

from collections.abc import Iterator

import numpy as np

from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable, has_constant_spread
from engine.stats.diagnosis.finding import Finding
from engine.stats.independent_units import regroup_units
from engine.stats.inference.intervals import Interval
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.summaries.calibration import calibration
from engine.stats.task_metrics.beliefs import INTERVAL
from engine.stats.verdicts.wording import format_count, format_number

MATTERS = 0.05  # of coverage, or of confidence above accuracy; less is no harm
TOO_SURE = 10.0  # typical error in predicted standard deviations
SAME, VARIED = 0.01, 4.0  # variation of the spread; ratio of large to small errors
ONE = 0.01  # spread between components, as a share of all predicted spread


def overconfidence(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """32: intervals hold fewer targets than they should, or confidence is misplaced."""
    for learner in spec.learners:
        found = _missing_coverage(table, learner) or _excess_confidence(table, learner)
        if found is None:
            continue
        excess, told = found
        yield Finding(
            32,
            "Overconfidence",
            learner.label,
            flagged=excess.low > 0 and excess.mean > MATTERS,
            evidence=f"{told}{_calibration_error(table, learner)}.",
            remedy="Calibrate on validation episodes (a temperature, a wider spread), "
            "learn the noise, or average more samples.",
        )


def _calibration_error(table: BlockTable, learner: LearnerChoice) -> str:
    """Return the mean error of the replicates that have one, in words; else nothing."""
    calibrated = calibration(table, learner.label)
    errors = np.array([]) if calibrated is None else calibrated.expected_error()
    errors = errors[np.isfinite(errors)]
    if not errors.size:
        return ""
    return f"; the expected calibration error is {errors.mean():.1%}"


def _format_ends(low: str, high: str, found: Interval) -> str:
    """Return the ends of an interval in brackets; nothing where there are none."""
    # One replicate whose episodes did not all diverge has a mean, but no interval.
    return f" [{low}, {high}]" if np.isfinite([found.low, found.high]).all() else ""


def _missing_coverage(
    table: BlockTable, learner: LearnerChoice
) -> tuple[Interval, str] | None:
    """Return how much of the 90 % is missing, and the coverage in words."""
    inside = table.test_values(learner.label, "interval_coverage")
    if inside is None or not np.isfinite(inside).any():
        return None
    found = metric_interval("interval_coverage", _by_unit(inside))
    lacking = Interval(
        INTERVAL - found.mean, INTERVAL - found.high, INTERVAL - found.low, found.n
    )
    given = " given it" if has_constant_spread(table, learner.label) else ""
    ends = _format_ends(f"{found.low:.1%}", f"{found.high:.1%}", found)
    return lacking, (
        f"The {INTERVAL:.0%} intervals{given} hold {found.mean:.1%}{ends} of the "
        "targets"
    )


def _excess_confidence(
    table: BlockTable, learner: LearnerChoice
) -> tuple[Interval, str] | None:
    """Return by how much confidence exceeds accuracy, and both in words."""
    sure = table.test_values(learner.label, "confidence")
    right = table.test_values(learner.label, "final_accuracy")
    if sure is None or right is None or not np.isfinite(sure).any():
        return None
    # A share minus a share has no ends: a t interval, as of a signal.
    excess = metric_interval("signal", _by_unit(sure - right))
    ends = _format_ends(f"{excess.low:+.1%}", f"{excess.high:+.1%}", excess)
    return excess, (
        f"It is {np.nanmean(sure):.1%} sure and right in {np.nanmean(right):.1%}; the "
        f"difference is {excess.mean:+.1%}{ends}"
    )


def collapsed_spread(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """33: the predicted spread is far below the errors, or the same for all of them."""
    for learner in spec.learners:
        spread = table.test_values(learner.label, "sharpness")
        square = table.test_values(learner.label, "final_mse")
        if (
            spread is None
            or square is None
            or has_constant_spread(table, learner.label)
        ):
            continue
        kept = np.isfinite(spread) & np.isfinite(square)
        if not kept.any():
            continue
        error, sd = np.sqrt(square[kept]), spread[kept]
        ratio = float(np.median(error / np.maximum(sd, np.finfo(np.float64).tiny)))
        variation = float(sd.std() / max(sd.mean(), np.finfo(np.float64).tiny))
        low, high = np.quantile(error, (0.1, 0.9))
        constant = variation < SAME and bool(high > VARIED * low)
        yield Finding(
            33,
            "Collapsed spread",
            learner.label,
            flagged=ratio > TOO_SURE or constant,
            evidence=f"The typical error is {format_number(ratio)} × the predicted "
            f"standard deviation, which varies by {variation:.1%} between "
            f"{format_count(sd.size, 'episode')}; errors range from "
            f"{format_number(float(low))} to {format_number(float(high))} (middle "
            "80 %).",
            remedy="Bound the standard deviation from below, weigh the prior less, or "
            "train by the likelihood of the queries and not of the support.",
        )


def single_component(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """34: the samples or particles of a mixture all predict the same."""
    for learner in spec.learners:
        between = table.test_values(learner.label, "component_spread")
        spread = table.test_values(learner.label, "sharpness")
        if between is None or spread is None or not np.isfinite(between).any():
            continue
        typical, whole = float(np.nanmedian(between)), float(np.nanmedian(spread))
        yield Finding(
            34,
            "Components that are one",
            learner.label,
            flagged=typical < ONE * whole,
            evidence=f"The means of its components differ by {format_number(typical)} "
            f"where the whole predicted spread is {format_number(whole)} (medians over "
            f"{format_count(between.size, 'episode')}).",
            remedy="Let samples differ: a wider prior, a stronger repulsion between "
            "particles, other initial weights; or take one component, at less cost.",
        )


def _by_unit(values: Floats) -> Floats:
    """Return values by independent unit; of a single training its episodes."""
    return regroup_units(values, trained=len(values) > 1)
