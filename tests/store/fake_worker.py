"""A worker that plays fake runs: `python -m tests.store.fake_worker [SECONDS]`.

It keeps a checkpoint every so many seconds, and stops at an empty queue if `once`
stands in the environment as METASCOPE_FAKE_ONCE.
"""

import os
import sys

from engine.executors.worker import run_worker
from engine.store import recorder
from tests.store.fake import TOOLS

if __name__ == "__main__":
    if len(sys.argv) > 1:
        recorder.CHECKPOINT_EVERY = float(sys.argv[1])
    sys.exit(run_worker(tools=TOOLS, once="METASCOPE_FAKE_ONCE" in os.environ))
