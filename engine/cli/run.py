"""run: compute one spec in this process and write its files; needs no store."""

import shlex
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from engine.cli.console import (
    Exit,
    out,
    print_error,
    print_status,
    read_file,
    verdict_text,
)
from engine.cli.executors import Address, On, Place, check_address, connect_remote
from engine.cli.progress_bar import ProgressBar, draw_progress_bar
from engine.contract.cards import Card
from engine.contract.effort import Effort, with_effort
from engine.contract.errors import Refused
from engine.contract.events import Artefact
from engine.contract.jobs import Job, JobState
from engine.contract.kinds import kind_named
from engine.contract.parsing import parse_spec
from engine.contract.run_spec import MOST_REPLICATES, RunSpec
from engine.garbage_collection import no_collections

if TYPE_CHECKING:
    from engine.executors.in_process import LocalRun
    from engine.executors.stop_signal import StopSignal

_SPEC = "A JSON file, - for standard input, or the name of a preset."
STDIN = "-"
_DEVICE = "auto, cpu, cuda or mps; overrides the spec's device."
_EFFORT = (
    "quick: one batch of replicates; until-decided: batches until the primary question "
    "is decided; fixed: a given number. Default: the spec's."
)
_REPLICATES = "How many, with until-decided at most. Default: the spec's."
_JOBS = (
    "Batches of replicates to compute at the same time, here at most one per core. "
    "Default: METASCOPE_WORKERS, else one per core. The results are the same."
)
_CODES = {JobState.DONE: Exit.OK, JobState.DIVERGED: Exit.DIVERGED}


def run(
    spec: Annotated[str, typer.Argument(metavar="SPEC.json|PRESET", help=_SPEC)],
    out: Annotated[Path, typer.Option(help="Output folder.")],
    effort: Annotated[Effort | None, typer.Option(help=_EFFORT)] = None,
    replicates: Annotated[
        int | None, typer.Option(min=1, max=MOST_REPLICATES, help=_REPLICATES)
    ] = None,
    device: Annotated[str, typer.Option(help=_DEVICE)] = "",
    traces: Annotated[bool, typer.Option(help="Every trace in metrics.csv.")] = False,
    resume: Annotated[
        bool, typer.Option(help="Continue the run in the output folder.")
    ] = False,
    force: Annotated[
        bool, typer.Option(help="Overwrite what is in the output folder.")
    ] = False,
    jobs: Annotated[int, typer.Option(min=0, max=1024, help=_JOBS)] = 0,
    on: On = Place.LOCAL,
    address: Address = "",
) -> int:
    """Compute one experiment; write metrics, timings, config and summary."""
    if resume and force:
        raise Refused(
            "--resume continues and --force starts over; give only one", "resume"
        )
    check_address(on, address)
    call = RunCommand(spec, effort, replicates, device, traces, jobs, on, address)
    with no_collections():
        asked = read_spec(spec)
        from engine.executors.allocator import configure_allocator
        from engine.executors.cores import worker_count, worker_niceness
        from engine.executors.in_process import LocalRun, settle_spec
        from engine.executors.stop_signal import StopSignal
        from engine.runner.memory_estimate import check_memory
        from engine.runner.memory_limit import cap_memory

    worker_niceness()  # a setting that no worker would take is refused at once
    configure_allocator()
    cap_memory()
    stop_signal = StopSignal()
    with draw_progress_bar() as watch, _handle_interrupts(stop_signal, watch):
        wanted = call.with_effort(settle_spec(asked, device))
        local_run = LocalRun(wanted, out, watch, stop_signal, jobs or worker_count())
        if not (resume or force) and (
            held := local_run.existing_summary(traces=traces)
        ):
            return _report_existing(local_run, held)
        if on is Place.LOCAL:  # else the nodes check theirs
            watch.show("estimating memory")
            check_memory(local_run.spec)
        watch.show("starting")
        try:
            store = local_run.open_store(resume=resume, force=force)
            with connect_remote(on, address, jobs, store) as remote:
                job = replace(local_run, remote=remote).play(store)
        except KeyboardInterrupt:
            if not resume:
                local_run.remove_if_empty()
            raise
        if job.state not in _CODES:
            return _report_unfinished(local_run, job, call)
        record = local_run.finish(store, traces=traces)
    for line in _not_applicable_lines(record.artefacts):
        print_status(line)
    return _report_finished(local_run, job, verdict_text(record.summary or {}))


def read_spec(spec: str) -> RunSpec:
    """Read a spec.

    Args:
        spec: A path, `-` for standard input, or the name of a preset.

    Raises:
        Refused: If it cannot be read, or is not a valid spec.
    """
    if spec == STDIN:
        return parse_spec(sys.stdin.buffer.read())
    path = Path(spec)
    if is_preset(spec):
        from engine.presets import preset

        return preset(spec).spec
    return parse_spec(read_file(path), _find_card)


def _find_card(slot: str, name: str) -> Card:
    from engine.catalogue import find_card  # takes seconds and is rarely needed

    return find_card(slot, name)


def is_preset(spec: str) -> bool:
    """Return whether an argument can only be the name of a preset, not a file."""
    path = Path(spec)
    if spec == STDIN:
        return False
    return not path.exists() and not path.suffix and len(path.parts) == 1


class RunCommand(NamedTuple):
    """The arguments of `run`, which the command to resume repeats."""

    spec: str
    effort: Effort | None
    replicates: int | None
    device: str
    traces: bool
    jobs: int = 0
    on: Place = Place.LOCAL
    address: str = ""

    def with_effort(self, spec: RunSpec) -> RunSpec:
        """Return a completed spec with the effort that was asked for.

        Raises:
            Refused: If that takes more looks than a spec can hold.
        """
        kind = kind_named(spec.kind)
        return with_effort(spec, kind, self.effort, self.replicates)

    def resume_command(self, local_run: "LocalRun") -> str:
        """Return the shell command that resumes the run, quoted.

        A spec that cannot be read twice (a pipe) is read from the run's own copy.
        """
        from engine.executors.in_process import ASKED

        spec = (
            self.spec
            if _is_rereadable(self.spec)
            else str(local_run.unfinished_folder / ASKED)
        )
        words = ["python", "-m", "engine", "run", spec, "--out", str(local_run.folder)]
        words += ["--effort", self.effort] if self.effort else []
        words += ["--replicates", str(self.replicates)] if self.replicates else []
        words += ["--device", self.device] if self.device else []
        words += ["--traces"] if self.traces else []
        words += ["--jobs", str(self.jobs)] if self.jobs else []
        words += ["--on", self.on] if self.on is not Place.LOCAL else []
        words += ["--address", self.address] if self.address else []
        return shlex.join([*words, "--resume"])


def _is_rereadable(spec: str) -> bool:
    """Return whether the spec can be read again; a pipe cannot."""
    path = Path(spec).absolute()
    piped = path.is_relative_to("/dev") or path.is_relative_to("/proc")
    return is_preset(spec) or (path.is_file() and not piped)


@contextmanager
def _handle_interrupts(
    stop_signal: "StopSignal", watch: "ProgressBar"
) -> Iterator[None]:
    """Checkpoint and stop at the first Ctrl-C, exit at once at the second.

    Before the first stage there is nothing to checkpoint: the first one exits.
    """

    def stop(signum: int, frame: FrameType | None) -> None:
        at_once = stop_signal.gone or not watch.begun
        if not stop_signal.gone:
            print_status("stopping…")
        # Set first: an exception raised during garbage collection is lost.
        stop_signal.request_stop()
        if at_once:
            raise KeyboardInterrupt

    before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _report_existing(local_run: "LocalRun", summary: Mapping[str, object]) -> int:
    out().print(verdict_text(summary), soft_wrap=True)
    print_status(
        f"{local_run.folder} already holds this run; add --force to compute it again"
    )
    return Exit.OK


def _report_unfinished(local_run: "LocalRun", job: Job, call: RunCommand) -> int:
    if job.state == JobState.QUEUED:
        print_status(
            f"interrupted at {job.done:.0%}; resume with: "
            f"{call.resume_command(local_run)}"
        )
        return Exit.INTERRUPTED
    where = f" (see {local_run.folder / 'traceback.txt'})" if job.traceback else ""
    print_error(f"{job.error}{where}")
    if job.state == JobState.PAUSED:  # the disk is full; the results so far are kept
        print_status(
            f"free some space, then resume with: {call.resume_command(local_run)}"
        )
    return Exit.FAILED


def _not_applicable_lines(artefacts: Iterable[Artefact]) -> Iterator[str]:
    """Yield a line for each learner that a condition does not apply to, and why."""
    for held in artefacts:
        where = held.name.removeprefix("remarks").strip()
        for who, why in held.info.items() if held.kind == "remarks" else ():
            yield f"not applicable: {who}{f' in {where}' if where else ''}: {why}"


def _report_finished(local_run: "LocalRun", job: Job, sentence: str) -> int:
    out().print(sentence, soft_wrap=True)
    print_status(f"written to {local_run.folder}")
    if job.state == JobState.DIVERGED:
        print_error(f"{job.error or 'every run diverged'}; its rows are kept")
    return _CODES[job.state]
