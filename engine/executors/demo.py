"""The public demo: whether this process serves it, and what one visitor may use.

`METASCOPE_MODE=demo` turns it on; every limit is an environment variable of its own.
"""

import os
import re
from typing import NamedTuple

from engine.contract.errors import Refused
from engine.executors.environment import one_of, whole_number
from engine.runner import memory_limit
from engine.store.fair_queue import Rules

MODE = "METASCOPE_MODE"
SOURCE = "METASCOPE_SOURCE"
LOCAL, DEMO = "local", "demo"
MIB = 2**20
# It stands in a command that visitors copy, so only what no shell interprets.
_ADDRESS = re.compile(r"https://[A-Za-z0-9][A-Za-z0-9._/:~-]{1,200}")


class DemoLimits(NamedTuple):
    """What one visitor, and one run, may use.

    Args:
        running: Runs of one visitor that are computed at the same time.
        queued: Further runs of one visitor that may wait.
        run_seconds: Wall-clock seconds of one run.
        run_gradients: Estimated gradients of one run.
        run_memory: Bytes that one run may need.
        run_disk: Bytes that one run may write.
        store_disk: Bytes of the whole store; the oldest runs go first.
        idle_seconds: After how long an unused workspace is emptied.
        upload: Bytes of one uploaded file; 0 turns uploads and imports off.
    """

    running: int
    queued: int
    run_seconds: int
    run_gradients: int
    run_memory: int
    run_disk: int
    store_disk: int
    idle_seconds: int
    upload: int


def is_demo() -> bool:
    """Whether this is the public demo.

    Raises:
        Refused: If METASCOPE_MODE is neither local nor demo.
    """
    return one_of(MODE, (LOCAL, DEMO)) == DEMO


def source_address() -> str:
    """Return where visitors get the code, to run the lab themselves; may be empty.

    Raises:
        Refused: If METASCOPE_SOURCE is no web address.
    """
    text = os.environ.get(SOURCE, "").strip()
    if text and not _ADDRESS.fullmatch(text):
        raise Refused(f"{SOURCE} must be an https address, not {text[:60]!r}", SOURCE)
    return text


def demo_limits() -> DemoLimits:
    """Return the demo's limits from the environment.

    Raises:
        Refused: If one of them cannot be understood.
    """
    return DemoLimits(
        running=whole_number("METASCOPE_DEMO_RUNNING", 1, 1, 64),
        queued=whole_number("METASCOPE_DEMO_QUEUED", 2, 0, 1000),
        run_seconds=60 * whole_number("METASCOPE_DEMO_RUN_MINUTES", 10, 1, 10_000),
        run_gradients=10**6
        * whole_number("METASCOPE_DEMO_RUN_MILLION_GRADIENTS", 100, 1, 10**9),
        run_memory=MIB
        * whole_number("METASCOPE_DEMO_RUN_MEMORY_MIB", 1024, 512, 10**6),
        run_disk=MIB * whole_number("METASCOPE_DEMO_RUN_DISK_MIB", 128, 1, 10**6),
        store_disk=MIB * whole_number("METASCOPE_DEMO_STORE_MIB", 2048, 64, 10**9),
        idle_seconds=3600 * whole_number("METASCOPE_DEMO_IDLE_HOURS", 24, 1, 10**5),
        upload=MIB * whole_number("METASCOPE_DEMO_UPLOAD_MIB", 0, 0, 100),
    )


def worker_settings() -> dict[str, str]:
    """Return the variables of a process that computes or checks runs.

    In the demo they limit its memory to what one run may need.
    """
    if not is_demo():
        return {}
    most = demo_limits().run_memory // MIB
    own = whole_number(memory_limit.SETTING, 0, 0, 10**9)
    return {memory_limit.SETTING: str(min(most, own or most))}


def queue_rules(workers: int) -> Rules:
    """Return how the queue is served; in the demo, with a limit for each visitor.

    Args:
        workers: How many runs are computed at the same time.
    """
    return Rules(workers, demo_limits().running) if is_demo() else Rules(workers)
