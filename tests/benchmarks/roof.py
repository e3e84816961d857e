"""What a processor could do at most: products of float32 matrices, on one thread."""

import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

SIZE, CALLS = 1024, 40


def peak_rate() -> float:
    """Return FLOP/s of the fastest of some large products."""
    a, b = torch.randn(2, SIZE, SIZE)
    best = float("inf")
    for _ in range(CALLS):
        clock = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - clock)
    return 2 * SIZE**3 / best


def count_flops(side: Callable[[], object]) -> int:
    """Return the operations of an eager call, products and convolutions alone."""
    with FlopCounterMode(display=False) as counter:
        side()
    return int(counter.get_total_flops())
