"""The memory limit of a worker: a share of the machine's memory, or a setting.

A run that needs more fails with a message instead of being killed by the system, and
leaves room for the web app and other programs.
"""

import os
import sys
from pathlib import Path

import psutil

from engine.contract.errors import Refused
from engine.runner.control_groups import memory_limits

SETTING = "METASCOPE_WORKER_MIB"  # MiB that a process may hold; 0 is no limit
SHARE = 0.75  # of the machine's memory, if nothing is set
_LEAST = 512  # MiB; less is not enough for the imports


def machine_memory(root: Path = Path("/")) -> int:
    """Return the memory of this machine, or the smaller limit of a control group.

    Args:
        root: Where the system's files are; tests pass their own.

    Returns:
        Bytes.
    """
    return min([psutil.virtual_memory().total, *memory_limits(root)])


def memory_limit() -> int | None:
    """Return how many bytes a process may hold; None if there is no limit.

    Raises:
        Refused: If the setting is not a number of MiB.
    """
    text = os.environ.get(SETTING, "").strip()
    if not text:
        return int(SHARE * machine_memory())
    if not text.isdecimal() or 0 < int(text) < _LEAST:
        raise Refused(
            f"{SETTING} must be a whole number of MiB from {_LEAST}, or 0 for no "
            f"limit, not {text[:40]!r}",
            SETTING,
        )
    return int(text) * 2**20 or None


def describe_limit() -> str:
    """Return the limit in words, and where it comes from."""
    size = format_gigabytes(memory_limit() or 0)
    if os.environ.get("METASCOPE_MODE", "").strip().lower() == "demo":
        return f"the {size} that a run of this demo may need"
    if os.environ.get(SETTING, "").strip():
        return f"the limit of {size} that {SETTING} sets"
    return f"this machine's limit of {size}"


def cap_memory() -> None:
    """Make allocations beyond the limit fail, on systems that support it."""
    limit = memory_limit()
    try:
        import resource
    except ImportError:  # Windows has none
        return
    # A GPU's drivers reserve far more than they use; only an explicit limit applies.
    if limit is None or (not os.environ.get(SETTING) and _has_gpu()):
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:  # a soft limit above the hard one is an error
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _has_gpu() -> bool:
    """Return whether torch is imported and has a GPU."""
    torch = sys.modules.get("torch")  # importing it here would take seconds
    return torch is not None and bool(torch.cuda.is_available())


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that memory ran out.

    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("shapes differ"))
    (True, False)
    """
    words = str(error).lower()
    # torch raises RuntimeError for it, and only its message tells.
    named = "can't allocate memory" in words or "out of memory" in words
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and named)


def format_gigabytes(size: float) -> str:
    """Return a number of bytes as text, in GB.

    >>> format_gigabytes(6.24e9), format_gigabytes(81e6)
    ('6.2 GB', '0.1 GB')
    """
    return f"{max(size, 1e8) / 1e9:,.1f} GB"
