"""What a detector says, and the facts that several of them ask for."""

from typing import NamedTuple

import numpy as np

from engine.contract.runs import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import (
    IN_DISTRIBUTION,
    BlockTable,
    baseline_learners,
    is_tuned,
)


class Finding(NamedTuple):
    """One pitfall, looked for in one learner.

    `flagged` says that it was found; `evidence` gives the numbers either way,
    and `remedy` what to do about it.
    """

    detector: int
    name: str
    learner: str
    flagged: bool
    evidence: str
    remedy: str


class RateControl(NamedTuple):
    """How a learner steered its rate in distribution.

    `scale` has shape (member, step, layer), NaN once diverged; `lr` is the rate
    at scale 1.
    """

    scale: Floats
    lr: float


def rate_control(table: BlockTable, learner: LearnerChoice) -> RateControl | None:
    """Return the scales that a learner chose, or none if it chooses none."""
    block = table.block(learner.label, "test", "lr_scale", IN_DISTRIBUTION)
    lr = learner.knobs.get("lr")
    if block is None or not isinstance(lr, (int, float)):
        return None
    scale = np.asarray(block.array, dtype=np.float64)
    if scale.ndim == 3:
        scale = scale[..., None]
    return RateControl(scale.reshape(-1, *scale.shape[2:]), float(lr))


def best_fixed_rate(
    table: BlockTable, spec: RunSpec, learner: LearnerChoice
) -> tuple[str, float]:
    """Return the tuned baseline of the rule that a learner steers, and its rate.

    The label is empty and the rate NaN where no such baseline was tuned.
    """
    rule = learner.knobs.get("rule", "sgd")
    for baseline in baseline_learners(spec):
        rate = table.number(baseline.label, "tune", "tuned_lr")
        constant = baseline.knobs.get("schedule", "constant") == "constant"
        if baseline.name == rule and is_tuned(baseline) and constant and rate:
            return baseline.label, rate
    return "", float("nan")
