"""The memory allocator: its settings for a worker and for this process, and its rest.

By default glibc returns large tensors to the system at every step, and little else:
what is free between two blocks in use stays with the process, in each of its heaps.
"""

import ctypes
import os
import sys
from collections.abc import Callable

_ARENA_MAX = -8  # number of glibc's M_ARENA_MAX
# Numbers of glibc's M_MMAP_THRESHOLD and M_TRIM_THRESHOLD.
_MALLOPT = {"MALLOC_MMAP_THRESHOLD_": -3, "MALLOC_TRIM_THRESHOLD_": -1}
# Arrow's own allocator, which it loads unless told otherwise, gives back less.
_ARROW_POOL = "ARROW_DEFAULT_MEMORY_POOL", "system"
# bytes
ALLOCATOR = {
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
}


def configure_allocator() -> None:
    """Let glibc reuse large blocks, as the supervisor does for its workers.

    Otherwise it returns large tensors to the system at every step, which costs up to
    two thirds of the speed.
    """
    os.environ.setdefault(*_ARROW_POOL)
    mallopt = _function("mallopt")
    for name, value in ALLOCATOR.items():
        if mallopt is not None and name not in os.environ:
            mallopt(_MALLOPT[name], int(value))
            os.environ[name] = value


def limit_heaps(count: int = 2) -> None:
    """Let all threads share a few heaps; glibc makes eight for each core.

    A page's script may run in any of many threads, and each heap keeps what is free in
    it. Python's threads take turns, so that they seldom wait for a heap.
    """
    os.environ.setdefault(*_ARROW_POOL)
    mallopt = _function("mallopt")
    if mallopt is not None and "MALLOC_ARENA_MAX" not in os.environ:
        mallopt(_ARENA_MAX, count)


def release_free_memory() -> None:
    """Return to the system what the allocator keeps though nothing uses it.

    It takes milliseconds; memory that is needed again costs a page fault.
    """
    malloc_trim = _function("malloc_trim")
    if malloc_trim is not None:
        malloc_trim(0)


def _function(name: str) -> Callable[..., int] | None:
    """Return a function of glibc; None on other systems."""
    if not sys.platform.startswith("linux"):
        return None
    return getattr(ctypes.CDLL(None), name, None)  # musl has none
