"""The finding of a detector, and the rates that several detectors need."""

from typing import NamedTuple

import numpy as np

from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import (
    IN_DISTRIBUTION,
    BlockTable,
    baseline_learners,
    geometric_mean,
    is_tuned,
    tuned_rate,
)


class Finding(NamedTuple):
    """The result of one detector on one learner.

    Args:
        detector: Number of the pitfall; several detectors may share one.
        name: Its name.
        learner: Label of the learner; empty if it concerns the tasks.
        flagged: Whether the pitfall was found.
        evidence: The numbers behind it, flagged or not.
        remedy: What to do about it.
    """

    detector: int
    name: str
    learner: str
    flagged: bool
    evidence: str
    remedy: str


class RateControl(NamedTuple):
    """The learning rates that a learner chose in distribution.

    Args:
        scale: Factors on `lr`; shape (member, step, layer), NaN once diverged.
        lr: Learning rate at scale 1, per step.
    """

    scale: Floats
    lr: float


def rate_control(table: BlockTable, learner: LearnerChoice) -> RateControl | None:
    """Return the scales that a learner chose; None if it does not control its rate."""
    block = table.block(learner.label, "test", "lr_scale", IN_DISTRIBUTION)
    lr = learner.knobs.get("lr")
    if block is None or not isinstance(lr, (int, float)):
        return None
    scale = np.asarray(block.array, dtype=np.float64)
    # One scale for all layers is stored without the layer axis.
    if scale.ndim == 3:
        scale = scale[..., None]
    return RateControl(scale.reshape(-1, *scale.shape[2:]), float(lr))


def describe_rates(rates: Floats) -> str:
    """Return tuned rates in words.

    Args:
        rates: One for each replicate, or a single one that all share.

    >>> describe_rates(np.array([0.3])), describe_rates(np.array([0.1, 0.4]))
    ('Rate 0.3', 'Rates 0.1 to 0.4 (geometric mean 0.2)')
    """
    low, high = float(rates.min()), float(rates.max())
    if low == high:
        return f"Rate {low:.3g}"
    mean = geometric_mean(rates)
    return f"Rates {low:.3g} to {high:.3g} (geometric mean {mean:.3g})"


def best_fixed_rate(
    table: BlockTable, spec: RunSpec, learner: LearnerChoice
) -> tuple[str, float]:
    """Return the tuned baseline of the rule that a learner controls, and its rate.

    Args:
        table: The run's blocks.
        spec: The run.
        learner: The learner; its `rule` knob names the rule.

    Returns:
        The label and the constant rate per step, of tuned ones their geometric mean;
        empty and NaN if there is none.
    """
    rule = learner.knobs.get("rule", "sgd")
    for baseline in baseline_learners(spec):
        rate = tuned_rate(table, baseline.label)
        constant = baseline.knobs.get("schedule", "constant") == "constant"
        if baseline.name == rule and is_tuned(baseline) and constant and rate:
            return baseline.label, rate
    return "", float("nan")
