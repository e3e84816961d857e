"""One writer or reader of the traffic trial: HOME ROLE PLACE SECONDS."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from engine.contract.events import Block
from engine.store import Recorder, Store, StoreError
from tests.store import fake


def main() -> None:
    """Do it for so many seconds and leave the times behind; -1 is an error."""
    home, role, place, seconds = Path(sys.argv[1]), *sys.argv[2:]
    store = Store.open(home)
    act = writing(store) if role == "write" else reading(store, int(place) % 8)
    act()  # imports and claims are not what is timed
    end, times = time.monotonic() + float(seconds), []
    while time.monotonic() < end:
        start = time.monotonic()
        try:
            act()
            times.append(time.monotonic() - start)
        except StoreError:
            times.append(-1.0)
        time.sleep(0.5)
    home.with_name(f"{role}-{place}.times").write_text(json.dumps(times))


def writing(store: Store) -> Callable[[], None]:
    """Return the filing of one block by a worker that holds a run."""
    claim = store.claim()
    assert claim is not None
    recorder, serial = Recorder(store.index, claim), iter(range(10**9))

    def act() -> None:
        at = {"step": (float(next(serial)),)}
        numbers = np.ones((8, 1), np.float32)
        axes = ("replicate", "step")
        recorder.add(Block("walk", "train", "meta_loss", axes, numbers, coords=at))
        recorder.flush()

    return act


def reading(store: Store, seed: int) -> Callable[[], None]:
    """Return the poll of a page: the job and its new rows."""
    key, cursor = fake.key(fake.spec(seed)), [0]

    def act() -> None:
        store.job(key)
        cursor[0] = store.blocks(key, cursor[0])[1]

    return act


if __name__ == "__main__":
    main()
