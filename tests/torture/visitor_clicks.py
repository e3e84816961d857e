"""Visitors who click: `python -m tests.torture.visitor_clicks HOME VISITORS FILE`.

It stands for the web server: each accepted run is noted in the file, then looked at.
"""

import contextlib
import os
import random
import sys
import time
from pathlib import Path

from engine.store import Store, StoreError
from engine.store.fair_queue import Quota
from engine.store.workspaces import WorkspaceStore
from tests.store import fake

STEPS, PAUSE = 20, 0.01


def visitor(shared: Store, number: int) -> WorkspaceStore:
    """Return the store of a visitor."""
    return WorkspaceStore(shared, f"{number:032x}", quota=Quota(1, 2))


def main() -> None:
    """Click until killed; some visitors ask for the same runs."""
    shared = Store.open(Path(sys.argv[1]))
    chance = random.Random()
    with Path(sys.argv[3]).open("a") as accepted:
        while True:
            number = chance.randrange(int(sys.argv[2]))
            who = visitor(shared, number)
            # A refusal is an answer; a busy store is asked again by the next click.
            with contextlib.suppress(StoreError):
                wish = fake.spec(chance.randrange(10**4), steps=STEPS, pause=PAUSE)
                key = who.submit(wish, fake.key(wish), cost=1.0).key
                accepted.write(f"{number} {key}\n")
                accepted.flush()
                os.fsync(accepted.fileno())
            with contextlib.suppress(StoreError):
                who.follow()
            time.sleep(0.02)


if __name__ == "__main__":
    main()
