"""How sure answers are, and how often they are right to be: proper scores of queries.

The negative log-likelihood is a proper score: no other density does better in the long
run than the true one. Calibration is read from histograms over a replicate's queries:
of F(y), the probability of a value below the target, which is uniform where predictions
are calibrated, and of the confidence in the chosen class beside the share of right
answers.

A learner that only predicts values is given a normal density around its prediction.
Its variance is the mean squared residual on validation episodes, fixed before the
tests.

Source: Gneiting and Raftery (2007), JASA 102; Dawid (1984), JRSS A 147; Guo et al.
(2017), arXiv:1706.04599, equation 3.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from engine.stats.array_types import Bools, Floats

WORST_NLL = 20.0  # nats: a probability of 2e-9, far below what anyone can test
INTERVAL = 0.9  # probability of the central interval whose coverage is measured
QUANTILE_BINS = 20  # so that central intervals of 10 %, …, 90 % end between bins
CONFIDENCE_BINS = 10
HISTOGRAMS = frozenset(
    {"below_share", "confidence_share", "bin_confidence", "bin_accuracy"}
)
_LEAST_VARIANCE = 1e-12  # of a learner without any residual; keeps logarithms finite


def summarize_beliefs(
    answers: Mapping[str, ArrayLike],
    final_loss: ArrayLike | None,
    diverged: ArrayLike,
    variance: ArrayLike | None,
) -> dict[str, Floats]:
    """Summarize how sure one learner's answers are at one condition.

    Args:
        answers: What the answer says of each query, as in `query_beliefs`; axes
            (replicate, task, query).
        final_loss: Of classes, the query loss of each task, nats; (replicate, task).
        diverged: 1 where a task diverged; (replicate, task).
        variance: Of a learner without a density, that of its residuals on validation
            episodes; (replicate,). None if it has one, or it is not known.

    Returns:
        By metric, float64: `nll`, `confidence`, … of each task, axes (replicate, task);
        NaN where it diverged, apart from `nll`, which is clipped to ±20 and is 20
        there. The histograms have axes (replicate, bin); diverged tasks are left out of
        them. Empty if a density is lacking and the variance is not known.
    """
    rows = {name: np.asarray(each, np.float64) for name, each in answers.items()}
    lost = np.asarray(diverged) > 0
    if "confidence" in rows:
        return _class_scores(rows, np.asarray(final_loss, np.float64), lost)
    if "residual" in rows:
        if variance is None:
            return {}
        rows = constant_density(rows["residual"], np.asarray(variance, np.float64))
    return _density_scores(rows, lost)


def constant_density(residual: Floats, variance: Floats) -> dict[str, Floats]:
    """Return what a normal density of constant variance says of each query.

    Args:
        residual: Prediction minus target; shape (replicate, task, query).
        variance: Of each replicate; shape (replicate,).

    Returns:
        `log_density`, `below` and `sd`, as in `query_beliefs`; the shape of residuals.
    """
    from scipy.special import ndtr  # here, so that pages start without scipy

    sd = np.sqrt(np.maximum(variance, _LEAST_VARIANCE))[:, None, None]
    z = -residual / sd
    log_density = -0.5 * z**2 - np.log(sd) - 0.5 * np.log(2.0 * np.pi)
    return {
        "log_density": log_density,
        "below": ndtr(z),
        "sd": np.broadcast_to(sd, residual.shape),
    }


def _class_scores(
    rows: Mapping[str, Floats], loss: Floats, lost: Bools
) -> dict[str, Floats]:
    confidence = _without_lost(rows["confidence"], lost)
    place = np.ceil(confidence * CONFIDENCE_BINS) - 1  # as in the source: (a, b]
    count, (sure, right) = _histogram(
        place, CONFIDENCE_BINS, (confidence, rows["right"])
    )
    return {
        "nll": _bounded_nll(loss, lost),
        "confidence": confidence.mean(2),
        "confidence_share": _ratio(count, count.sum(1, keepdims=True)),
        "bin_confidence": _ratio(sure, count),
        "bin_accuracy": _ratio(right, count),
    }


def _density_scores(rows: Mapping[str, Floats], lost: Bools) -> dict[str, Floats]:
    below = _without_lost(rows["below"], lost)
    outside = (1.0 - INTERVAL) / 2
    inside = (below >= outside) & (below <= 1.0 - outside)
    count, _ = _histogram(np.floor(below * QUANTILE_BINS), QUANTILE_BINS, ())
    found = {
        "nll": _bounded_nll(-rows["log_density"].mean(2), lost),
        "interval_coverage": np.where(lost, np.nan, inside.mean(2)),
        "sharpness": np.where(lost, np.nan, rows["sd"].mean(2)),
        "below_share": _ratio(count, count.sum(1, keepdims=True)),
    }
    if "component_sd" in rows:
        spread = rows["component_sd"].mean(2)
        found["component_spread"] = np.where(lost, np.nan, spread)
    return found


def _without_lost(values: Floats, lost: Bools) -> Floats:
    """Return values per query with NaN in diverged tasks."""
    return np.where(lost[..., None], np.nan, values)


def _bounded_nll(values: Floats, lost: Bools) -> Floats:
    """Return losses within ±20, so that one task cannot decide a comparison."""
    known = np.where(lost | ~np.isfinite(values), WORST_NLL, values)
    return np.clip(known, -WORST_NLL, WORST_NLL)


def _histogram(
    place: Floats, bins: int, sums: tuple[Floats, ...]
) -> tuple[Floats, list[Floats]]:
    """Count the queries of each replicate by bin, and sum values in each bin.

    Args:
        place: Each query's bin, NaN to leave it out; shape (replicate, task, query).
        bins: How many there are; places outside go to the first or last one.
        sums: Values to be summed; each as `place`.

    Returns:
        Counts and sums; each (replicate, bin).
    """
    known = np.isfinite(place)
    index = np.clip(np.where(known, place, 0), 0, bins - 1).astype(np.int64)

    def add_up(weights: Floats) -> Floats:
        kept = np.where(known, weights, 0.0)
        pairs = zip(index, kept, strict=True)
        return np.stack(
            [np.bincount(at.ravel(), each.ravel(), bins) for at, each in pairs]
        )

    return add_up(np.ones_like(place)), [add_up(each) for each in sums]


def _ratio(part: Floats, whole: Floats) -> Floats:
    """Return part / whole; NaN where there is nothing."""
    return np.asarray(part / np.where(whole > 0, whole, np.nan))
