"""A worker: claims a run, executes it and records it.

torch is imported before the first claim. The supervisor holds the other end of the
worker's standard input: a byte means that there may be work, end of file that the
supervisor is gone. So an idle worker costs nothing, and none outlives its supervisor.
"""

import contextlib
import logging
import os
import signal
import time
import traceback
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path
from typing import NamedTuple

from engine.contract.errors import Refused
from engine.contract.events import Event
from engine.contract.jobs import JobState
from engine.contract.run_spec import RunSpec
from engine.executors.allocator import release_free_memory
from engine.executors.run_limits import RunLimits
from engine.executors.shards import ShardHelpers
from engine.executors.stop_signal import POLL_INTERVAL, StopSignal
from engine.executors.supervisor_control import STORE
from engine.executors.upkeep import note_shipped_of
from engine.executors.worker_functions import Toolkit, load_toolkit
from engine.executors.worker_handle import SUPERVISED
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
    shards,
)
from engine.store.claims import ClaimedJob
from engine.store.fair_queue import OVER_LIMIT
from engine.store.run_rows import SHARD

BUSY_TIMEOUT = 60.0  # seconds that a write waits for a store locked by another process
_log = logging.getLogger(__name__)


def run_worker(
    home: Path | None = None, tools: Toolkit | None = None, *, once: bool = False
) -> int:
    """Execute queued runs until asked to stop.

    Under a supervisor (METASCOPE_SUPERVISED is set) it waits on standard input and
    serves only the supervisor's store (METASCOPE_STORE); started by hand it looks for
    work twice a second.

    Args:
        home: The store's folder.
        tools: What to compute with; the engine if None.
        once: Stop when the queue is empty.

    Returns:
        The exit code.

    Raises:
        StoreGone: If the store was moved, deleted or replaced.
    """
    stop_signal = StopSignal(0 if os.environ.get(SUPERVISED) else None)
    signal.signal(signal.SIGTERM, stop_signal.request_stop)
    signal.signal(signal.SIGINT, stop_signal.request_stop)
    _set_oom_score()
    tools = tools or load_toolkit()
    cap_memory()
    store = Store.open(home, os.environ.get(STORE))
    note_shipped_of(store, tools.shipped_keys)
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
    """Let the system's out-of-memory killer choose this process before the web app."""
    with contextlib.suppress(OSError):  # not Linux, or not allowed
        Path("/proc/self/oom_score_adj").write_text("800")


class RunOutcome(NamedTuple):
    """How a run ended.

    Args:
        state: The job's last state.
        error: The cause in one line; empty on success.
        trace: The traceback as text; empty if the cause is no exception.
        over_limit: Whether it reached a limit of the demo.
    """

    state: JobState
    error: str = ""
    trace: str = ""
    over_limit: bool = False


def play(
    store: Store, claim: ClaimedJob, tools: Toolkit, stop_signal: StopSignal
) -> None:
    """Execute one claimed run until it ends, is canceled or the worker must stop.

    Args:
        store: Where it is recorded.
        claim: The run, from `Store.claim`.
        tools: What to compute with.
        stop_signal: Interrupts it after the next event.

    Raises:
        StoreGone: If the store was moved, deleted or replaced.
    """
    recorder = store.recorder(claim)
    must_stop = partial(_must_stop, store, claim, stop_signal)
    limits = RunLimits.of_this_lab(store.folder(claim.key))
    events = _run_events(store, claim, tools)
    try:
        ending = _record_events(recorder, events, must_stop, limits)
        if isinstance(ending, Exception):
            ending = _outcome_of(ending, claim.spec, tools)
        if ending is None:
            recorder.release()
        else:
            _file_outcome(store, claim, tools, recorder, ending)
    except StoreGone:
        raise  # the run keeps its state: once the store is back, a sweep requeues it
    except LeaseLost:
        _log.info("run %s no longer belongs to this worker", claim.key[:12])
        _drop_lease(recorder)
    except StoreFull:
        _abandon_run(recorder, JobState.PAUSED, "disk full")
    except StoreError as error:
        _abandon_run(recorder, JobState.FAILED, str(error))


def _abandon_run(recorder: Recorder, state: JobState, error: str) -> None:
    """End a run whose events the store cannot write; log it if that fails, too."""
    try:
        recorder.end_early(state, error)
    except StoreError as refusal:
        _log.warning("%s; %s", error, refusal)


def _drop_lease(recorder: Recorder) -> None:
    """Show that the worker has stopped: it would be ended as one that hangs."""
    try:
        recorder.drop_lease()
    except StoreError as refusal:
        _log.warning("%s", refusal)


def _run_events(store: Store, claim: ClaimedJob, tools: Toolkit) -> Generator[Event]:
    if tools.check is not None:
        tools.check(claim.spec)
    cache, point = StoredRunCache(store.index), claim.checkpoint
    if claim.kind == SHARD and tools.compute_batch is not None:
        yield from tools.compute_batch(claim.spec, cache, point, first=False)
    else:
        helpers = ShardHelpers(store, claim, tools.compute_batch)
        yield from tools.run(claim.spec, cache, point, helpers=helpers)


def _must_stop(
    store: Store, claim: ClaimedJob, stop_signal: StopSignal, *, written: bool
) -> bool:
    """Return whether a worker must give its run back to the queue.

    Args:
        store: Where it is recorded.
        claim: The run.
        stop_signal: Asks the worker to stop.
        written: Whether the run was just written: only then a shard looks for a run
            that it is in the way of, as that takes a read of the index.
    """
    if stop_signal.gone or claim.kind != SHARD or not written:
        return stop_signal.gone
    with contextlib.suppress(StoreBusy):
        return shards.must_give_way(store.index, claim.key)
    return False


def _record_events(
    recorder: Recorder,
    events: Generator[Event],
    must_stop: Callable[..., bool],
    limits: RunLimits,
) -> RunOutcome | Exception | None:
    """Record events until they end.

    Returns:
        How they ended, or the error that a part raised; None if the worker must stop.
    """
    try:
        for event in events:
            recorder.add(event)
            if due := recorder.is_due():
                _write_when_free(recorder)
            if must_stop(written=due):
                return None
            if reached := limits.excess(written=due):
                return RunOutcome(JobState.FAILED, reached, over_limit=True)
    except StoreError:
        raise
    except Exception as error:  # any part's bug ends its run, never the worker
        return error
    finally:
        events.close()
    return RunOutcome(JobState.DONE)


def _write_when_free(recorder: Recorder) -> None:
    """Write what was recorded; wait while another process locks the store."""
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
        # The frames hold the tensors that filled the memory; the remedy needs some.
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
    if ending.state != JobState.FAILED and claim.kind != SHARD:
        _write_when_free(recorder)
        release_free_memory()  # the end needs memory that the tests no longer do
        try:
            texts["summary"] = tools.summarize(store.blocks(claim.key)[0], claim.spec)
        except StoreError:
            raise
        except Exception as error:  # the results are stored; only the summary failed
            ending = _outcome_of(error, claim.spec, tools)
    release_free_memory()
    if ending.trace:
        texts["traceback"] = ending.trace
    if ending.over_limit:
        texts[OVER_LIMIT] = True
    recorder.finish(ending.state, texts, ending.error)
    release_free_memory()  # a worker waits long for its next run
    if ending.state == JobState.FAILED:
        shards.cancel_all(store.index, claim.key)
    else:
        shards.discard_all(store.index, claim.key)
