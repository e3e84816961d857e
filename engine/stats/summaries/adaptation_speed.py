"""Adaptation speed: inner steps until a learner has 90 % of its gain.

Each episode is measured by its own gain: from the loss before the first inner step to
the lowest within the recorded steps. An episode without gain is censored and counts
with the whole horizon, so that a learner that does not adapt never looks fast.
"""

import numpy as np

from engine.contract.events import Block, Condition
from engine.stats.array_types import Floats
from engine.stats.block_table import IN_DISTRIBUTION, PER_STEP, BlockTable
from engine.stats.inference.steps_to_threshold import Crossing

SHARE = 0.9  # of the gain
FOLLOWED = ("query_loss", "query_mse")


def adaptation_speed(loss: Floats, at: Floats, share: float = SHARE) -> Crossing:
    """Find the first inner step with this share of an episode's own gain.

    Args:
        loss: Loss on the queries, less being better; shape (…, step), the first
            before any inner step. NaN never reaches it.
        at: Numbers of these inner steps, rising; shape (step,).
        share: Share of the gain to reach.

    Returns:
        Inner steps, the last one where nothing was gained, and whether anything was;
        each of shape (…).

    >>> adaptation_speed(np.array([4.0, 1.0, 0.0]), np.array([0.0, 1.0, 5.0]), 0.75)
    Crossing(step=array(1.), reached=array(True))
    """
    loss = np.asarray(loss, dtype=np.float64)
    low = np.where(np.isfinite(loss), loss, np.inf).min(axis=-1)
    gain = loss[..., 0] - low
    reached = np.isfinite(gain) & (gain > 0)
    target = loss[..., :1] - share * np.where(reached, gain, np.nan)[..., None]
    # A target of NaN is never reached; argmax is then 0 and replaced below.
    first = np.asarray(loss <= target).argmax(axis=-1)
    step = np.where(reached, np.asarray(at, dtype=np.float64)[first], at[-1])
    return Crossing(np.asarray(step, dtype=np.float64), np.asarray(reached))


def learner_adaptation_speed(
    table: BlockTable, learner: str, condition: Condition = IN_DISTRIBUTION
) -> Crossing | None:
    """Return the adaptation speed on each episode; None if no loss was recorded.

    Args:
        table: The run's blocks.
        learner: A label.
        condition: Where it was tested.

    Returns:
        Inner steps and whether anything was gained; shape (replicate, task).
    """
    block = _loss_block(table, learner, condition)
    if block is None:
        return None
    at = np.asarray(block.coordinates("step"), dtype=np.float64)
    return adaptation_speed(np.asarray(block.array, dtype=np.float64), at)


def _loss_block(table: BlockTable, learner: str, condition: Condition) -> Block | None:
    for metric in FOLLOWED:
        block = table.block(learner, "test", metric, condition)
        if block is not None and block.axes == PER_STEP and block.array.shape[-1] > 1:
            return block
    return None
