"""How many cores there are, and how many workers compute at the same time."""

import functools
import math
import os
from pathlib import Path

from engine.executors.environment import whole_number
from engine.runner.control_groups import cpu_limits
from engine.runner.memory_limit import machine_memory, memory_limit

WORKERS = "METASCOPE_WORKERS"  # how many workers compute at the same time
NICENESS = "METASCOPE_NICENESS"  # of workers, 0 to 19
DEFAULT_NICENESS = 5  # so that pages stay quick while every core computes
MEMORY = 10**9  # bytes that a worker may need
SHARE = 0.25  # of a core that a worker may lack


def core_count(root: Path = Path("/")) -> int:
    """Return how many CPU cores this process may use, at least 1.

    A container may have a share of a core; from three quarters on it counts as one.

    Args:
        root: Where the system's files are; tests pass their own.
    """
    # Containers and taskset allow fewer than the machine has; only Linux can tell.
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    allowed = min([float(cores), *cpu_limits(root)])
    return max(1, math.floor(allowed + SHARE))


def worker_count() -> int:
    """Return how many workers compute at the same time.

    METASCOPE_WORKERS says it; otherwise one per core, as far as the memory goes.

    Raises:
        Refused: If the setting is not a number of workers.
    """
    fitting = max(1, min(core_count(), machine_memory() // MEMORY))
    return whole_number(WORKERS, fitting, 1, 1024)


@functools.cache
def is_memory_scarce() -> bool:
    """Whether a second process of the engine would not fit beside a worker."""
    return machine_memory() < 2 * MEMORY


def worker_niceness() -> int:
    """Return by how much workers give way to other processes: METASCOPE_NICENESS.

    Raises:
        Refused: If the setting is not a niceness.
    """
    return whole_number(NICENESS, DEFAULT_NICENESS, 0, 19)


def lower_priority(niceness: int | None = None) -> None:
    """Let this process give way to others.

    Args:
        niceness: By how much, 0 to 19; that of workers if None.

    Raises:
        Refused: If the setting is not a niceness.
    """
    if hasattr(os, "nice"):  # Windows has none
        os.nice(worker_niceness() if niceness is None else niceness)


def check_memory() -> None:
    """Check the setting of the memory that a process may hold.

    Raises:
        Refused: If it is not a number of MiB.
    """
    memory_limit()
