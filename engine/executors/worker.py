"""A worker: claim a run, play it, record it; torch is imported before the claim.

The worker hangs on a leash, its standard input: a byte on it says that there
may be work, its end says that the supervisor is gone. So an idle worker costs
nothing, and none outlives its supervisor.
"""

import contextlib
import logging
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NamedTuple

from engine.contract.blocks import Block, Checkpoint, Event
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.contract.runs import RunSpec
from engine.executors.supervisor_process import STORE
from engine.executors.worker_process import LEASHED
from engine.runner.memory_limit import cap_memory, ran_out
from engine.store import (
    LeaseLost,
    Recorder,
    Store,
    StoreBusy,
    StoreError,
    StoreFull,
    StoreGone,
    StoreShelf,
)
from engine.store.queue import Claim

if TYPE_CHECKING:
    from engine.runner.run_cache import Shelf

LAST_WORDS = 8.0  # seconds to a worker's own end once its supervisor is gone
ASK_EVERY = 0.5  # seconds between two looks for work, without a leash
BUSY_PATIENCE = 60.0  # seconds that a write waits for a store held by another
_log = logging.getLogger(__name__)

Runner = Callable[[RunSpec, "Shelf", Checkpoint | None], Iterator[Event]]


@dataclass(frozen=True)
class Tools:
    """What a worker computes with; tests bring their own.

    `run` gives the events of a spec, `summarize` the statistics of its blocks,
    `fingerprint` describes what computes on a device; `check` refuses a spec that
    will not fit into memory, and `outgrown` says what to lower in one that did not.
    """

    run: Runner
    summarize: Callable[[list[Block], RunSpec], Mapping[str, object]]
    fingerprint: Callable[[str], Mapping[str, object]]
    check: Callable[[RunSpec], None] | None = None
    outgrown: Callable[[RunSpec], str] | None = None


def engine_tools() -> Tools:
    """Import the engine, torch first, on one thread."""
    import torch

    torch.set_num_threads(1)
    from engine.catalogue import catalogue
    from engine.device import fingerprint
    from engine.runner.loop import run
    from engine.runner.memory_estimate import check_memory, outgrown
    from engine.runner.summary import summarize

    catalogue()  # every part registers, before a run asks for one
    torch.ones(1, requires_grad=True).sum().backward()  # starts autograd's threads
    return Tools(run, summarize, fingerprint, check_memory, outgrown)


class Leash:
    """Ties a worker to its supervisor, and tells it when to look for work."""

    def __init__(self, pipe: int | None = None) -> None:
        self.gone = False
        self._pipe = pipe
        self._called = threading.Event()
        if pipe is not None:
            threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while self._pipe is not None and os.read(self._pipe, 64):
            self._called.set()
        self.let_go()
        time.sleep(LAST_WORDS)
        os._exit(os.EX_TEMPFAIL)  # the loop hangs; the run is resumed elsewhere

    def let_go(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask the worker to stop at the next event; also a signal handler."""
        self.gone = True
        self._called.set()

    def wait(self) -> None:
        """Wait until there may be work."""
        self._called.wait(None if self._pipe is not None else ASK_EVERY)
        if not self.gone:
            self._called.clear()


def work(
    home: Path | None = None, tools: Tools | None = None, *, once: bool = False
) -> int:
    """Play queued runs until told to stop; returns the exit code.

    Under a supervisor (METASCOPE_LEASHED is set) it waits on standard input, and
    plays for the supervisor's own store alone (METASCOPE_STORE); by hand it looks
    for work twice a second.

    Args:
        home: The store's folder.
        tools: What to compute with; the engine where none is given.
        once: Stop when the queue is empty.

    Raises:
        StoreGone: If the store was moved, deleted or replaced.
    """
    leash = Leash(0 if os.environ.get(LEASHED) else None)
    signal.signal(signal.SIGTERM, leash.let_go)
    signal.signal(signal.SIGINT, leash.let_go)
    _offer_to_the_oom_killer()
    tools = tools or engine_tools()
    cap_memory()
    store = Store.open(home, os.environ.get(STORE))
    while not leash.gone:
        try:
            claim = store.claim()
        except (StoreBusy, StoreFull) as error:
            _log.warning("%s", error)
            time.sleep(ASK_EVERY)
            continue
        if claim is not None:
            play(store, claim, tools, leash)
        elif once:
            return 0
        else:
            leash.wait()
    return 0


def _offer_to_the_oom_killer() -> None:
    """Let a memory hog die alone, before the web process."""
    with contextlib.suppress(OSError):  # not Linux, or not allowed
        Path("/proc/self/oom_score_adj").write_text("800")


class Ending(NamedTuple):
    """How a played run ended."""

    state: JobState
    error: str = ""
    trace: str = ""


def play(store: Store, claim: Claim, tools: Tools, leash: Leash) -> None:
    """Play one claimed run to its end, its cancel or the leash's."""
    recorder = store.recorder(claim)
    try:
        ending = _record(recorder, _events(store, claim, tools), leash)
        if isinstance(ending, Exception):
            ending = _ending(ending, claim.spec, tools)
        if ending is None:
            recorder.release()
        else:
            _file(store, claim, tools, recorder, ending)
    except StoreGone:
        raise  # the run stays as it was: back in its place, the store's sweep goes on
    except LeaseLost:
        _log.info("run %s was taken from this worker", claim.key[:12])
    except StoreFull:
        _leave(recorder, JobState.PAUSED, "disk full")
    except StoreError as error:
        _leave(recorder, JobState.FAILED, str(error))


def _leave(recorder: Recorder, state: JobState, error: str) -> None:
    """End a run that the store cannot take; a store that is gone ends it too."""
    try:
        recorder.leave(state, error)
    except StoreError as refusal:
        _log.warning("%s; %s", error, refusal)


def _events(store: Store, claim: Claim, tools: Tools) -> Generator[Event]:
    if tools.check is not None:
        tools.check(claim.spec)
    shelf = StoreShelf(store.index)
    yield from tools.run(claim.spec, shelf, claim.checkpoint)


def _record(
    recorder: Recorder, events: Generator[Event], leash: Leash
) -> Ending | Exception | None:
    """Record events until they end; none if the leash ended them.

    Returns:
        How they ended, or the error that a part raised.
    """
    try:
        for event in events:
            recorder.add(event)
            if recorder.due():
                _tick(recorder)
            if leash.gone:
                return None
    except StoreError:
        raise
    except Exception as error:  # whatever a part does, the run says so and ends
        return error
    finally:
        events.close()
    return Ending(JobState.DONE)


def _tick(recorder: Recorder) -> None:
    """Write; wait for a store that another process holds for a while."""
    deadline = time.monotonic() + BUSY_PATIENCE
    while True:
        try:
            return recorder.tick()
        except StoreBusy:
            if time.monotonic() > deadline:
                raise


def _ending(error: Exception, spec: RunSpec, tools: Tools) -> Ending:
    from engine.protocol import AllDiverged

    if isinstance(error, AllDiverged):
        return Ending(JobState.DIVERGED, str(error))
    trace = "".join(traceback.format_exception(error))
    if ran_out(error):
        # The frames hold what filled the memory, and to say what to lower takes some.
        traceback.clear_frames(error.__traceback__)
        return Ending(JobState.FAILED, (tools.outgrown or _outgrown)(spec), trace)
    if isinstance(error, Refused):
        return Ending(JobState.FAILED, error.message, trace)
    first = str(error).partition("\n")[0]
    return Ending(JobState.FAILED, f"{type(error).__name__}: {first}", trace)


def _outgrown(spec: RunSpec) -> str:
    return (
        "ran out of memory: lower test_tasks, tasks_per_step, replicates or the size "
        "of the net"
    )


def _file(
    store: Store, claim: Claim, tools: Tools, recorder: Recorder, ending: Ending
) -> None:
    texts: dict[str, object] = {"fingerprint": tools.fingerprint(claim.spec.device)}
    if ending.state != JobState.FAILED:
        _tick(recorder)
        try:
            blocks, _ = store.blocks(claim.key)
            texts["summary"] = tools.summarize(blocks, claim.spec)
        except StoreError:
            raise
        except Exception as error:  # the rows are kept, the run says what failed
            ending = _ending(error, claim.spec, tools)
    if ending.trace:
        texts["traceback"] = ending.trace
    recorder.finish(ending.state, texts, ending.error)
