"""A process that takes the write lock of a store and keeps it."""

import sys
import time
from pathlib import Path

from engine.store import Store

if __name__ == "__main__":
    home = Path(sys.argv[1])

    def hold(db: object) -> None:
        """Say that the lock is held, then sit on it."""
        (home / "held").touch()
        time.sleep(600)

    Store.open(home).index.write(hold)
