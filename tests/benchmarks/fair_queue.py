"""One heavy visitor, or two, beside ten light ones: shares of compute, and waits.

`python -m tests.benchmarks.fair_queue`; nothing is computed, the queue is played.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from engine.store import Store
from tests.store.queue_play import play_queue

HEAVY, LIGHT, SECONDS = 600.0, 20.0, 7200.0


def main() -> None:
    """Play both cases, and print a line for each visitor's kind."""
    for heavies in (1, 2):
        costs = {f"heavy {n}": HEAVY for n in range(heavies)}
        costs |= {f"light {n}": LIGHT for n in range(10)}
        with tempfile.TemporaryDirectory() as folder:
            played = play_queue(Store.open(Path(folder) / "home"), costs, SECONDS)
        total = sum(played.computed.values())
        for kind in ("heavy", "light"):
            names = [name for name in costs if name.startswith(kind)]
            shares = [played.computed[name] / total for name in names]
            # From the fourth on: the first three were queued at the same moment.
            waits = [wait for name in names for wait in played.waits[name][3:]]
            _print(f"{len(names)} {kind}, {heavies} heavy", shares, waits)


def _print(what: str, shares: Sequence[float], waits: Sequence[float]) -> None:
    waited = sorted(waits) or [float("nan")]
    middle, most = waited[len(waited) // 2], waited[-1]
    sys.stdout.write(
        f"{what}: share of compute {min(shares):.1%} to {max(shares):.1%} each, "
        f"wait median {middle:,.0f} s, at most {most:,.0f} s\n"
    )


if __name__ == "__main__":
    main()
