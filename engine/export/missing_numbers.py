"""Why a number of a block is not there: diverged, never reached, or not measured."""

import numpy as np
from jaxtyping import Num

from engine.contract.events import Block
from engine.contract.metrics import METRICS

# Not "n/a", which pandas reads as a missing status.
UNMEASURED = "unmeasured"
_HISTOGRAM = ("replicate", "bin")  # a bin without queries has no mean


def _may_have_gaps(block: Block) -> bool:
    """Return whether a NaN says that nothing was measured there."""
    # A replicate does not try the rates around another one's best.
    parts = (("replicate", "rate"), _HISTOGRAM)
    return METRICS[block.metric].gaps or block.axes in parts


def missing_status(
    block: Block, lost: Num[np.ndarray, "replicate task"] | None, at: tuple[int, ...]
) -> str:
    """Return the status of a number that is not finite."""
    if _may_have_gaps(block):
        return UNMEASURED
    if lost is None or lost[at[:2]]:
        return "diverged"
    return "never" if block.metric == "diverged_at" else UNMEASURED


def gap_status(
    block: Block, gone: int, members: int, lost: Num[np.ndarray, "..."] | None
) -> str:
    """Return how many tasks have no finite number, and why.

    Args:
        block: The block.
        gone: Tasks without a finite number.
        members: All tasks.
        lost: 1 for each task that diverged; None where that is not known.
    """
    if not gone:
        return "ok"
    # No number though not all tasks diverged: it was not measured.
    unmeasured = gone == members and lost is not None and not lost.all()
    word = UNMEASURED if unmeasured or _may_have_gaps(block) else "diverged"
    return word if gone == members else f"{gone} of {members} {word}"
