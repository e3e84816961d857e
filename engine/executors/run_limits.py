"""Limits of a run while it is computed, in the demo: wall clock and bytes written.

Memory is limited by the system, see `engine.runner.memory_limit`: an allocation beyond
the limit fails, and the run with it.
"""

import time
from pathlib import Path

from engine.executors.demo import MIB, DemoLimits, demo_limits, is_demo

_LOCAL = "on your own computer nothing is limited"


class RunLimits:
    """Watches one attempt at a run.

    Args:
        folder: The run's folder.
        limits: What a run may use; None for no limit.
    """

    def __init__(self, folder: Path, limits: DemoLimits | None) -> None:
        self._folder, self._limits = folder, limits
        self._began = time.monotonic()

    @classmethod
    def of_this_lab(cls, folder: Path) -> "RunLimits":
        """Return the limits that this process's settings set."""
        return cls(folder, demo_limits() if is_demo() else None)

    def excess(self, *, written: bool) -> str:
        """Return which limit the run has reached, in one sentence; empty if none.

        Args:
            written: Whether it was just written: only then its files are looked at.
        """
        if self._limits is None:
            return ""
        if time.monotonic() - self._began > self._limits.run_seconds:
            return (
                f"reached the {self._limits.run_seconds / 60:g} min that a run of this "
                "demo may take: make it smaller, such as by Effort: Quick; what it has "
                f"computed stays, and {_LOCAL}"
            )
        if written and (size := _folder_size(self._folder)) > self._limits.run_disk:
            return (
                f"wrote {size / MIB:,.0f} MiB, and a run of this demo may write "
                f"{self._limits.run_disk / MIB:,.0f} MiB: test on fewer tasks or "
                f"record fewer steps; what it has computed stays, and {_LOCAL}"
            )
        return ""


def _folder_size(folder: Path) -> int:
    """Return the bytes of a folder's files; of a missing one, 0."""
    try:
        return sum(path.stat().st_size for path in list(folder.iterdir()))
    except FileNotFoundError:  # deleted, or a file was compacted: it is asked again
        return 0
