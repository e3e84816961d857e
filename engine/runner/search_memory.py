"""How much memory a search holds: its strategy's own, measured while it runs alone.

Differs: what Python and numpy allocate is seen; torch's tensors, which only strategies
with a net of their own hold, are not.
"""

import time
import tracemalloc

from engine.contract.events import Timing
from engine.protocol import Learner, Meta, SearchBatch

STAGE = "memory"


def measure_search_memory(
    label: str, learner: Learner, meta: Meta, tasks: SearchBatch
) -> Timing:
    """Search once more, alone, and return the most memory that it held.

    Args:
        label: The learner's.
        learner: The strategy.
        meta: Its frozen weights, of one replicate.
        tasks: One search; `count` is how many evaluations it may take.
    """
    clock = time.perf_counter()
    mine = not tracemalloc.is_tracing()
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
