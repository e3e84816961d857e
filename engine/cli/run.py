"""run: a spec in, files and a verdict out, with no store and no app."""

import shlex
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from engine.cli.console import Exit, err, out, print_error, print_status, read_file
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.events import Artefact, Event, Note, stage_in_words
from engine.contract.jobs import Job, JobState
from engine.contract.parsing import parse_spec
from engine.contract.runs import RunSpec

if TYPE_CHECKING:
    from engine.executors.local import LocalRun
    from engine.executors.worker import StopSignal

_SPEC = "A spec as JSON, - for one on standard input, or the name of a preset."
STDIN = "-"
_DEVICE = "auto, cpu, cuda or mps; overrides the spec's."
_CODES = {JobState.DONE: Exit.OK, JobState.DIVERGED: Exit.DIVERGED}


def run(
    spec: Annotated[str, typer.Argument(metavar="SPEC.json|PRESET", help=_SPEC)],
    out: Annotated[Path, typer.Option(help="Folder for the files.")],
    device: Annotated[str, typer.Option(help=_DEVICE)] = "",
    traces: Annotated[bool, typer.Option(help="Every trace in metrics.csv.")] = False,
    resume: Annotated[bool, typer.Option(help="Go on with what is in DIR.")] = False,
    force: Annotated[bool, typer.Option(help="Replace what is in DIR.")] = False,
) -> int:
    """Run one experiment here and now; writes metrics, timings, config and summary."""
    if resume and force:
        raise Refused("--resume goes on and --force starts over; give one", "resume")
    asked = read_spec(spec)
    from engine.executors.local import LocalRun, configure_allocator, settle_spec
    from engine.executors.worker import StopSignal
    from engine.runner.memory_estimate import check_memory
    from engine.runner.memory_limit import cap_memory

    configure_allocator()
    cap_memory()
    stop_signal = StopSignal()
    with _progress_bar() as watch, _handle_interrupts(stop_signal, watch):
        local_run = LocalRun(settle_spec(asked, device), out, watch, stop_signal)
        if not (resume or force) and (
            held := local_run.existing_summary(traces=traces)
        ):
            return _report_existing(local_run, held)
        watch.show("estimating memory")
        check_memory(local_run.spec)
        watch.show("starting")
        try:
            store = local_run.open_store(resume=resume, force=force)
            job = local_run.play(store)
        except KeyboardInterrupt:
            if not resume:
                local_run.remove_if_empty()
            raise
        if job.state not in _CODES:
            return _report_unfinished(local_run, job, RunCommand(spec, device, traces))
        record = local_run.finish(store, traces=traces)
    for line in _not_applicable_lines(record.artefacts):
        print_status(line)
    return _report_finished(
        local_run, job, str((record.summary or {}).get("sentence", ""))
    )


def read_spec(spec: str) -> RunSpec:
    """Read a spec from a file or standard input, or take a preset's.

    Raises:
        Refused: If there is none, or it is no spec.
    """
    if spec == STDIN:
        return parse_spec(sys.stdin.buffer.read())
    path = Path(spec)
    if is_preset(spec):
        from engine.presets import preset

        return preset(spec).spec
    return parse_spec(read_file(path), _find_card)


def _find_card(slot: str, name: str) -> Card:
    from engine.catalogue import find_card  # takes seconds, and is seldom needed

    return find_card(slot, name)


def is_preset(spec: str) -> bool:
    """Say whether these words can only be the name of a preset."""
    path = Path(spec)
    if spec == STDIN:
        return False
    return not path.exists() and not path.suffix and len(path.parts) == 1


class RunCommand(NamedTuple):
    """How a run was asked for, so that it can be asked for again."""

    spec: str
    device: str
    traces: bool

    def resume_command(self, local_run: "LocalRun") -> str:
        """Return the command line that goes on with the run, to be pasted.

        A spec that cannot be read twice is read from where the run keeps it.
        """
        from engine.executors.local import ASKED

        spec = (
            self.spec
            if _is_rereadable(self.spec)
            else str(local_run.unfinished_folder / ASKED)
        )
        words = ["python", "-m", "engine", "run", spec, "--out", str(local_run.folder)]
        words += ["--device", self.device] if self.device else []
        words += ["--traces"] if self.traces else []
        return shlex.join([*words, "--resume"])


def _is_rereadable(spec: str) -> bool:
    """Say whether these words give the same spec again; a pipe gives it once."""
    path = Path(spec).absolute()
    piped = path.is_relative_to("/dev") or path.is_relative_to("/proc")
    return is_preset(spec) or (path.is_file() and not piped)


@contextmanager
def _progress_bar() -> Iterator["ProgressBar"]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    # Where nobody looks a bar leaves but an empty line.
    console = err()
    hidden = not console.is_terminal
    with Progress(
        *columns, console=console, transient=True, disable=hidden
    ) as progress:
        yield ProgressBar(progress)


class ProgressBar:
    """Moves the progress bar by the notes of a run."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.task = progress.add_task("starting", total=1.0)
        self.begun = False  # whether the first stage has

    def show(self, what: str) -> None:
        """Say what is done, where no note tells."""
        self.progress.update(self.task, description=what)

    def __call__(self, event: Event) -> None:
        """Take one event."""
        self.begun = True
        if isinstance(event, Note):
            self.progress.update(
                self.task,
                completed=event.done,
                description=stage_in_words(event.stage),
            )


@contextmanager
def _handle_interrupts(
    stop_signal: "StopSignal", watch: "ProgressBar"
) -> Iterator[None]:
    """Let the first Ctrl-C keep a checkpoint, and the second end at once.

    Where nothing has been computed yet there is nothing to keep: the first one does.
    """

    def stop(signum: int, frame: FrameType | None) -> None:
        at_once = stop_signal.gone or not watch.begun
        if not stop_signal.gone:
            print_status("stopping…")
        # Python loses what is raised while it collects garbage.
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
    out().print(str(summary.get("sentence", "")), soft_wrap=True)
    print_status(
        f"{local_run.folder} holds this run already; add --force to compute it again"
    )
    return Exit.OK


def _report_unfinished(local_run: "LocalRun", job: Job, call: RunCommand) -> int:
    if job.state == JobState.QUEUED:
        print_status(
            f"interrupted at {job.done:.0%}; go on with: "
            f"{call.resume_command(local_run)}"
        )
        return Exit.INTERRUPTED
    where = f" (see {local_run.folder / 'traceback.txt'})" if job.traceback else ""
    print_error(f"{job.error}{where}")
    return Exit.FAILED


def _not_applicable_lines(artefacts: Iterable[Artefact]) -> Iterator[str]:
    """Yield a line for everything that could not be tested, and why."""
    for held in artefacts:
        where = held.name.removeprefix("remarks").strip()
        for who, why in held.info.items() if held.kind == "remarks" else ():
            yield f"not applicable: {who}{f' in {where}' if where else ''}: {why}"


def _report_finished(local_run: "LocalRun", job: Job, sentence: str) -> int:
    out().print(sentence, soft_wrap=True)
    print_status(f"written to {local_run.folder}")
    if job.state == JobState.DIVERGED:
        print_error(f"{job.error or 'every run diverged'}; the rows are kept")
    return _CODES[job.state]
