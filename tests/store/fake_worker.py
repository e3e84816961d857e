"""A worker that plays fake runs: `python -m tests.store.fake_worker`."""

import sys

from engine.worker import work
from tests.store.fake import TOOLS

if __name__ == "__main__":
    sys.exit(work(tools=TOOLS))
