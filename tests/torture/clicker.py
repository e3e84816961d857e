"""A process that clicks: once for a seed, or at the instants that it is told."""

import json
import sys
import time
from pathlib import Path

from engine.contract.run_spec import RunSpec
from engine.store import Store, StoreBusy
from tests.store import fake

BUSY = "busy"  # the answer of whoever is told to click again


def main() -> None:
    """Click once and wait to be killed, or answer each question with a key."""
    store = Store.open(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        fake.submit(store, int(sys.argv[2]))
        time.sleep(60)
        return
    say("ready")
    for line in sys.stdin:
        asked = json.loads(line)
        wish = RunSpec.model_validate(asked["spec"], strict=False)
        key = fake.key(wish)
        time.sleep(max(0.0, asked["at"] - time.time()))
        try:
            say(store.submit(wish, key).key)
        except StoreBusy:
            say(BUSY)


def say(word: str) -> None:
    """Answer on standard output."""
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
