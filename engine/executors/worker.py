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

from engine.contract.errors import Refused
from engine.contract.events import Block, Checkpoint, Event
from engine.contract.jobs import JobState
from engine.contract.runs import RunSpec
from engine.executors.supervisor_process import STORE
from engine.executors.worker_process import LEASHED
from engine.runner.memory_limit import cap_memory, is_out_of_memory
from engine.store import (
    LeaseLost,
    Recorder,
    Store,
    StoreBusy,
    StoredRunCache,
    StoreError,
    StoreFull,
    StoreGone,
)
from engine.store.queue import ClaimedJob

if TYPE_CHECKING:
    from engine.runner.run_cache import RunCache

EXIT_TIMEOUT = 8.0  # seconds to a worker's own end once its supervisor is gone
POLL_INTERVAL = 0.5  # seconds between two looks for work, without a leash
BUSY_TIMEOUT = 60.0  # seconds that a write waits for a store held by another
_log = logging.getLogger(__name__)

Runner = Callable[[RunSpec, "RunCache", Checkpoint | None], Iterator[Event]]


@dataclass(frozen=True)
class Toolkit:
    """What a worker computes with; tests bring their own.

    `run` gives the events of a spec, `summarize` the statistics of its blocks,
    `fingerprint` describes what computes on a device; `check` refuses a spec that
    will not fit into memory, and `describe_memory_overrun` says what to lower in one
    that did not.
    """

    run: Runner
    summarize: Callable[[list[Block], RunSpec], Mapping[str, object]]
    fingerprint: Callable[[str], Mapping[str, object]]
    check: Callable[[RunSpec], None] | None = None
    describe_memory_overrun: Callable[[RunSpec], str] | None = None


def load_toolkit() -> Toolkit:
    """Import the engine, torch first, on one thread."""
    import torch

    torch.set_num_threads(1)
    from engine.catalogue import catalogue
    from engine.device import fingerprint
    from engine.runner.loop import run
    from engine.runner.memory_estimate import check_memory, describe_memory_overrun
    from engine.runner.summary import summarize_run

    catalogue()  # every part registers, before a run asks for one
    torch.ones(1, requires_grad=True).sum().backward()  # starts autograd's threads
    return Toolkit(
        run, summarize_run, fingerprint, check_memory, describe_memory_overrun
    )


class StopSignal:
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
        self.request_stop()
        time.sleep(EXIT_TIMEOUT)
        os._exit(os.EX_TEMPFAIL)  # the loop hangs; the run is resumed elsewhere

    def request_stop(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Ask the worker to stop at the next event; also a signal handler."""
        self.gone = True
        self._called.set()

    def wait_for_work(self) -> None:
        """Wait until there may be work."""
        self._called.wait(None if self._pipe is not None else POLL_INTERVAL)
        if not self.gone:
            self._called.clear()


def run_worker(
    home: Path | None = None, tools: Toolkit | None = None, *, once: bool = False
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
    stop_signal = StopSignal(0 if os.environ.get(LEASHED) else None)
    signal.signal(signal.SIGTERM, stop_signal.request_stop)
    signal.signal(signal.SIGINT, stop_signal.request_stop)
    _set_oom_score()
    tools = tools or load_toolkit()
    cap_memory()
    store = Store.open(home, os.environ.get(STORE))
    while not stop_signal.gone:
        try:
            claim = store.claim()
        except (StoreBusy, StoreFull) as error:
            _log.warning("%s", error)
            time.sleep(POLL_INTERVAL)
            continue
        if claim is not None:
            play(store, claim, tools, stop_signal)
        elif once:
            return 0
        else:
            stop_signal.wait_for_work()
    return 0


def _set_oom_score() -> None:
    """Let a memory hog die alone, before the web process."""
    with contextlib.suppress(OSError):  # not Linux, or not allowed
        Path("/proc/self/oom_score_adj").write_text("800")


class RunOutcome(NamedTuple):
    """How a played run ended."""

    state: JobState
    error: str = ""
    trace: str = ""


def play(
    store: Store, claim: ClaimedJob, tools: Toolkit, stop_signal: StopSignal
) -> None:
    """Play one claimed run to its end, its cancel or the leash's."""
    recorder = store.recorder(claim)
    try:
        ending = _record_events(recorder, _run_events(store, claim, tools), stop_signal)
        if isinstance(ending, Exception):
            ending = _outcome_of(ending, claim.spec, tools)
        if ending is None:
            recorder.release()
        else:
            _file_outcome(store, claim, tools, recorder, ending)
    except StoreGone:
        raise  # the run stays as it was: back in its place, the store's sweep goes on
    except LeaseLost:
        _log.info("run %s was taken from this worker", claim.key[:12])
    except StoreFull:
        _abandon_run(recorder, JobState.PAUSED, "disk full")
    except StoreError as error:
        _abandon_run(recorder, JobState.FAILED, str(error))


def _abandon_run(recorder: Recorder, state: JobState, error: str) -> None:
    """End a run that the store cannot take; a store that is gone ends it too."""
    try:
        recorder.end_early(state, error)
    except StoreError as refusal:
        _log.warning("%s; %s", error, refusal)


def _run_events(store: Store, claim: ClaimedJob, tools: Toolkit) -> Generator[Event]:
    if tools.check is not None:
        tools.check(claim.spec)
    cache = StoredRunCache(store.index)
    yield from tools.run(claim.spec, cache, claim.checkpoint)


def _record_events(
    recorder: Recorder, events: Generator[Event], stop_signal: StopSignal
) -> RunOutcome | Exception | None:
    """Record events until they end; none if the leash ended them.

    Returns:
        How they ended, or the error that a part raised.
    """
    try:
        for event in events:
            recorder.add(event)
            if recorder.is_due():
                _write_when_free(recorder)
            if stop_signal.gone:
                return None
    except StoreError:
        raise
    except Exception as error:  # whatever a part does, the run says so and ends
        return error
    finally:
        events.close()
    return RunOutcome(JobState.DONE)


def _write_when_free(recorder: Recorder) -> None:
    """Write; wait for a store that another process holds for a while."""
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            return recorder.flush()
        except StoreBusy:
            if time.monotonic() > deadline:
                raise


def _outcome_of(error: Exception, spec: RunSpec, tools: Toolkit) -> RunOutcome:
    from engine.protocol import AllDiverged

    if isinstance(error, AllDiverged):
        return RunOutcome(JobState.DIVERGED, str(error))
    trace = "".join(traceback.format_exception(error))
    if is_out_of_memory(error):
        # The frames hold what filled the memory, and to say what to lower takes some.
        traceback.clear_frames(error.__traceback__)
        return RunOutcome(
            JobState.FAILED,
            (tools.describe_memory_overrun or _memory_overrun)(spec),
            trace,
        )
    if isinstance(error, Refused):
        return RunOutcome(JobState.FAILED, error.message, trace)
    first = str(error).partition("\n")[0]
    return RunOutcome(JobState.FAILED, f"{type(error).__name__}: {first}", trace)


def _memory_overrun(spec: RunSpec) -> str:
    return (
        "ran out of memory: lower test_tasks, tasks_per_step, replicates or the size "
        "of the net"
    )


def _file_outcome(
    store: Store,
    claim: ClaimedJob,
    tools: Toolkit,
    recorder: Recorder,
    ending: RunOutcome,
) -> None:
    texts: dict[str, object] = {"fingerprint": tools.fingerprint(claim.spec.device)}
    if ending.state != JobState.FAILED:
        _write_when_free(recorder)
        try:
            blocks, _ = store.blocks(claim.key)
            texts["summary"] = tools.summarize(blocks, claim.spec)
        except StoreError:
            raise
        except Exception as error:  # the rows are kept, the run says what failed
            ending = _outcome_of(error, claim.spec, tools)
    if ending.trace:
        texts["traceback"] = ending.trace
    recorder.finish(ending.state, texts, ending.error)
