"""A supervisor of fake workers: `python -m tests.store.fake_supervisor HOME N`."""

import logging
import sys
from pathlib import Path

from engine.executors.supervisor import supervise

WORKER = (sys.executable, "-m", "tests.store.fake_worker")

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    sys.exit(supervise(Path(sys.argv[1]), WORKER, int(sys.argv[2])))
