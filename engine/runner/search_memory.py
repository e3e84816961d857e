"""Peak memory of a search strategy, measured while it runs alone.

Only allocations of Python and numpy are counted, not torch's tensors, which only
strategies with a net of their own hold.
"""

import time
import tracemalloc

from engine.contract.events import Timing
from engine.protocol import Learner, Meta, SearchBatch

STAGE = "memory"


def measure_search_memory(
    label: str, learner: Learner, meta: Meta, tasks: SearchBatch
) -> Timing:
    """Run one search once more, alone, and measure its peak memory.

    Args:
        label: The learner's label.
        learner: The strategy.
        meta: Its frozen weights, of one replicate.
        tasks: One search; its horizon is the number of evaluations.

    Returns:
        The time in seconds, the number of evaluations and the peak in bytes.
    """
    clock = time.perf_counter()
    mine = not tracemalloc.is_tracing()  # who started tracing must also stop it
    if mine:
        tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    for _ in learner.adapt(meta, tasks):
        pass
    peak = tracemalloc.get_traced_memory()[1] - before
    if mine:
        tracemalloc.stop()
    return Timing(label, STAGE, time.perf_counter() - clock, tasks.horizon, peak)
