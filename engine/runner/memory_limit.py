"""How much memory a process may hold: a share of the machine's, or what is set.

A run that wants more ends in a sentence instead of being killed by the system, and
leaves room for the screen and for other programs.
"""

import os
import sys
from pathlib import Path

import psutil

from engine.contract.errors import Refused

SETTING = "METASCOPE_WORKER_MIB"  # MiB that a process may hold; 0 is no limit
SHARE = 0.75  # of the machine's memory, where nothing is set
_LEAST = 512  # MiB; less does not even hold what is imported
_GROUPS = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)


def machine_memory(root: Path = Path("/")) -> int:
    """Return the memory of this machine, or of the control group that it is shared by.

    Args:
        root: Where the system's files are; tests bring their own.
    """
    found = [psutil.virtual_memory().total]
    for name in (*_GROUPS, *_own_group_files(root)):
        try:
            text = (root / name.lstrip("/")).read_text().strip()
        except OSError:
            continue
        if text.isdigit():  # version 2 writes "max" where there is none
            found.append(int(text))
    return min(found)


def _own_group_files(root: Path) -> list[str]:
    """Name the files with the limits of this process's own control groups."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, _, rest = line.partition(":")
        kinds, _, path = rest.partition(":")
        if not kinds:
            found.append(f"/sys/fs/cgroup{path}/memory.max")
        elif "memory" in kinds.split(","):
            found.append(f"/sys/fs/cgroup/memory{path}/memory.limit_in_bytes")
    return found


def memory_limit() -> int | None:
    """Return how many bytes a process may hold; none where that is switched off.

    Raises:
        Refused: If the setting is no number of MiB.
    """
    said = os.environ.get(SETTING, "").strip()
    if not said:
        return int(SHARE * machine_memory())
    if not said.isdecimal() or 0 < int(said) < _LEAST:
        raise Refused(
            f"{SETTING} must be a whole number of MiB from {_LEAST}, or 0 for no "
            f"limit, not {said[:40]!r}",
            SETTING,
        )
    return int(said) * 2**20 or None


def describe_limit() -> str:
    """Return the limit, and who sets it."""
    size = format_gigabytes(memory_limit() or 0)
    if os.environ.get(SETTING, "").strip():
        return f"the limit of {size} that {SETTING} sets"
    return f"this machine's limit of {size}"


def cap_memory() -> None:
    """Let an allocation beyond the limit fail, where the system can do that."""
    limit = memory_limit()
    try:
        import resource
    except ImportError:  # Windows has none
        return
    if limit is None or (not os.environ.get(SETTING) and _has_gpu()):
        return
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _has_gpu() -> bool:
    """Say whether torch has a GPU: its drivers reserve memory that they never use."""
    torch = sys.modules.get("torch")
    return torch is not None and bool(torch.cuda.is_available())


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error is that of memory that could not be had.

    >>> is_out_of_memory(MemoryError()), is_out_of_memory(RuntimeError("shapes differ"))
    (True, False)
    """
    words = str(error).lower()
    named = "can't allocate memory" in words or "out of memory" in words
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and named)


def format_gigabytes(size: float) -> str:
    """Return bytes in words.

    >>> format_gigabytes(6.24e9), format_gigabytes(81e6)
    ('6.2 GB', '0.1 GB')
    """
    return f"{max(size, 1e8) / 1e9:,.1f} GB"
