"""Running experiments from Python: in this process, with results kept in a store.

A run is computed once and kept under its key, in the lab's own store by default, so
that the lab shows it, too. A run of a part that a notebook defines is computed in this
process alone, and kept in a store of its own beside the lab's, which could not compute
it again.
"""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Literal

from engine.contract.errors import Refused
from engine.contract.jobs import ALIVE, Job, JobState
from engine.executors.stop_signal import StopSignal
from engine.export import RunRecord
from engine.store import Store, default_home
from metascope.arguments import as_text, show, whole_number
from metascope.experiments import Base, Spec, spec
from metascope.own_parts import own_parts_of
from metascope.progress import Show, describe_stage, show_progress, watch_events
from metascope.results import Result

StorePlace = Literal["default"] | str | Path | None
OWN_RUNS = "notebook"  # in the store's folder: runs of parts that a notebook defines
_ENDED = (JobState.DONE, JobState.DIVERGED)
_POLL = 0.3  # seconds between two looks at a run that other workers compute


class RunFailed(RuntimeError):
    """A run that ended with an error.

    Attributes:
        traceback: Where it was raised, as text; empty where that is not known.
    """

    def __init__(self, message: str, traceback: str = "") -> None:
        super().__init__(message)
        self.traceback = traceback


def run(
    base: Base = "default",
    /,
    *,
    store: StorePlace = "default",
    title: str = "",
    progress: bool = True,
    jobs: int = 0,
    **changes: Any,
) -> Result:
    """Run an experiment, or read it where it was run before.

    Args:
        base: What `metascope.spec` takes: a preset's name, a spec, a file, …
        store: Where results are kept and looked for: "default" for the lab's store,
            the folder of another one, or None to keep nothing. A folder that is not
            there is made, in one that is.
        title: What lists call a new run.
        progress: Whether to draw a progress bar, in a terminal or a notebook.
        jobs: Batches of replicates that are computed at the same time, at most one per
            core; 0 for that. The numbers are the same.
        **changes: What differs from `base`, as in `metascope.spec`.

    Returns:
        The result. A run whose learners all diverged has one, too: see its `state`.

    Raises:
        Refused: If the experiment cannot be run here, in one sentence.
        RunFailed: If it ended with an error.
        KeyboardInterrupt: If it was interrupted. What is computed so far is kept in the
            store, and the same call continues from there.

    Example:
        >>> import metascope as ms
        >>> result = ms.run("smoke", replicates=1, store=None)
        >>> result.call.call
        "can't tell yet"
        >>> sorted(set(result.tasks["learner"]))
        ['lr_scale', 'sgd', 'sgd_tuned']
    """
    wanted = spec(base, **changes)
    own = own_parts_of(wanted.full)
    title, jobs = as_text("title", title), whole_number("jobs", jobs, 0)
    with ExitStack() as stack:
        held = _open_store(store, wanted, stack, apart=bool(own))
        show = stack.enter_context(show_progress(progress))
        job = _compute(held, wanted, show, _RunOptions(title, 1 if own else jobs))
        if job.state not in _ENDED:
            raise RunFailed(job.error or f"the run is {job.state}", job.traceback)
        return Result(RunRecord.from_store(held, wanted.key), job)


class _RunOptions:
    """How a run is computed: its title, and how many batches at the same time."""

    def __init__(self, title: str, jobs: int) -> None:
        self.title = title
        self.jobs = jobs


def _open_store(
    place: StorePlace, wanted: Spec, stack: ExitStack, *, apart: bool
) -> Store:
    """Open the store that a run is kept in.

    Args:
        place: As in `run`.
        wanted: The run.
        stack: Removes the store again where nothing is to be kept.
        apart: Whether it is a run of a notebook's own parts. Each has a store of its
            own, as the lab's engine must not take it.
    """
    if place is None:
        folder = tempfile.TemporaryDirectory(prefix="metascope-")
        return Store.open(Path(stack.enter_context(folder)) / "store")
    home = home_of(place)
    return Store.open(home / OWN_RUNS / wanted.key[:16] if apart else home)


def home_of(place: object) -> Path:
    """Return the folder of a store.

    Args:
        place: "default", or a folder.

    Raises:
        Refused: If it is neither, or a file, or in a folder that is not there.
    """
    if place == "default":
        return default_home()
    if not isinstance(place, (str, os.PathLike)) or not str(place):
        raise Refused(
            f'store is "default", None to keep nothing, or a folder, not {show(place)}',
            "store",
        )
    home = Path(place).expanduser()
    if home.is_file():
        raise Refused(f"the store is a folder; {home} is a file", "store")
    if not home.absolute().parent.is_dir():  # most likely a name that is mistyped
        raise Refused(
            f"store={str(place)!r} is in no folder that is there; make "
            f"{home.absolute().parent} first, or choose another place",
            "store",
        )
    return home


def _compute(store: Store, wanted: Spec, show: Show, options: _RunOptions) -> Job:
    """Compute a run here, or wait for whoever computes it already."""
    from engine.executors.cores import worker_count
    from engine.executors.queued_runs import submit_or_resume
    from engine.executors.supervisor import supervisor_status

    job = store.job(wanted.key)
    if job is not None and job.state in _ENDED and not job.damaged:
        return job
    _check_memory(wanted)
    stop = StopSignal()
    submit_or_resume(store, wanted.full, wanted.key, options.title)
    with handle_interrupt(stop):
        if not supervisor_status(store.home):
            _play(store, wanted, show, (options.jobs or worker_count(), stop))
        job = _wait(store, wanted.key, show, stop)
    if stop.gone and job.state in ALIVE:
        store.cancel(wanted.key)  # so that no engine goes on with it; it can be resumed
        raise KeyboardInterrupt(
            f"stopped at {job.done:.0%}; the same call continues from there"
        )
    return job


def _check_memory(wanted: Spec) -> None:
    """Refuse a run that will not fit into memory."""
    with _torch_threads_kept():
        from engine.executors.in_process import check_memory

        check_memory(wanted.full)


def _play(store: Store, wanted: Spec, show: Show, how: tuple[int, StopSignal]) -> None:
    """Compute a queued run in this process, with helpers for its other batches."""
    from engine.executors.in_process import LocalRun

    jobs, stop = how
    with (
        _torch_threads_kept(),
        tempfile.TemporaryDirectory(prefix="metascope-") as folder,
    ):
        watch = watch_events(show)
        here = LocalRun(wanted.full, Path(folder), watch, stop, jobs)
        try:
            here.play(store)
        except Refused:
            job = store.job(wanted.key)
            if job is not None and job.state in ALIVE:
                store.cancel(wanted.key)
            raise


def _wait(store: Store, key: str, show: Show, stop: StopSignal) -> Job:
    """Wait until a run ends that the workers of another process compute."""
    while True:
        job = store.job(key)
        if job is None:
            raise RunFailed("the run was deleted meanwhile")
        if job.state not in ALIVE or stop.gone:
            return job
        now = store.progress(key)
        show(now.done, describe_stage(now.stage or str(job.state), now.text))
        time.sleep(_POLL)


@contextmanager
def _torch_threads_kept() -> Iterator[None]:
    """Give torch its threads back: a run sets one, as its sums depend on them."""
    import torch

    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def handle_interrupt(stop: StopSignal) -> Iterator[None]:
    """Stop at a checkpoint at the first Ctrl-C, at once at the second."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread hears of signals
        return

    def request(signum: int, frame: FrameType | None) -> None:
        again = stop.gone
        stop.request_stop()
        if again:
            raise KeyboardInterrupt

    before: Any = signal.signal(signal.SIGINT, request)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
