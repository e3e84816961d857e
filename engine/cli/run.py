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

from engine.cli.console import Exit, complain, err, out, read_file, say
from engine.contract.blocks import Artefact, Event, Note
from engine.contract.cards import Card
from engine.contract.errors import Refused
from engine.contract.jobs import Job, JobState
from engine.contract.parsing import parse_spec
from engine.contract.runs import RunSpec

if TYPE_CHECKING:
    from engine.executors.local import Outing
    from engine.executors.worker import Leash

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
    asked = read(spec)
    from engine.executors.local import Outing, settle_allocator, settled
    from engine.executors.worker import Leash
    from engine.runner.memory_estimate import check_memory
    from engine.runner.memory_limit import cap_memory

    settle_allocator()
    cap_memory()
    leash = Leash()
    with _bar() as watch, _interruptible(leash, watch):
        outing = Outing(settled(asked, device), out, watch, leash)
        if not (resume or force) and (held := outing.here(traces=traces)):
            return _is_here(outing, held)
        watch.show("estimating memory")
        check_memory(outing.spec)
        watch.show("starting")
        try:
            store = outing.begin(resume=resume, force=force)
            job = outing.play(store)
        except KeyboardInterrupt:
            if not resume:
                outing.leave_nothing()
            raise
        if job.state not in _CODES:
            return _unfinished(outing, job, Call(spec, device, traces))
        record = outing.finish(store, traces=traces)
    for line in _left_out(record.artefacts):
        say(line)
    return _told(outing, job, str((record.summary or {}).get("sentence", "")))


def read(spec: str) -> RunSpec:
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
    return parse_spec(read_file(path), _card)


def _card(slot: str, name: str) -> Card:
    from engine.catalogue import cards  # takes seconds, and is seldom needed

    return cards(slot, name)


def is_preset(spec: str) -> bool:
    """Say whether these words can only be the name of a preset."""
    path = Path(spec)
    if spec == STDIN:
        return False
    return not path.exists() and not path.suffix and len(path.parts) == 1


class Call(NamedTuple):
    """How a run was asked for, so that it can be asked for again."""

    spec: str
    device: str
    traces: bool

    def resuming(self, outing: "Outing") -> str:
        """Return the command line that goes on with the run, to be pasted.

        A spec that cannot be read twice is read from where the run keeps it.
        """
        from engine.executors.local import ASKED

        spec = self.spec if _lasts(self.spec) else str(outing.private / ASKED)
        words = ["python", "-m", "engine", "run", spec, "--out", str(outing.folder)]
        words += ["--device", self.device] if self.device else []
        words += ["--traces"] if self.traces else []
        return shlex.join([*words, "--resume"])


def _lasts(spec: str) -> bool:
    """Say whether these words give the same spec again; a pipe gives it once."""
    path = Path(spec).absolute()
    piped = path.is_relative_to("/dev") or path.is_relative_to("/proc")
    return is_preset(spec) or (path.is_file() and not piped)


@contextmanager
def _bar() -> Iterator["Watch"]:
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
        yield Watch(progress)


class Watch:
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
                self.task, completed=event.done, description=event.stage
            )


@contextmanager
def _interruptible(leash: "Leash", watch: "Watch") -> Iterator[None]:
    """Let the first Ctrl-C keep a checkpoint, and the second end at once.

    Where nothing has been computed yet there is nothing to keep: the first one does.
    """

    def stop(signum: int, frame: FrameType | None) -> None:
        at_once = leash.gone or not watch.begun
        if not leash.gone:
            say("stopping…")
        leash.let_go()  # Python loses what is raised while it collects garbage
        if at_once:
            raise KeyboardInterrupt

    before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _is_here(outing: "Outing", summary: Mapping[str, object]) -> int:
    out().print(str(summary.get("sentence", "")), soft_wrap=True)
    say(f"{outing.folder} holds this run already; add --force to compute it again")
    return Exit.OK


def _unfinished(outing: "Outing", job: Job, call: Call) -> int:
    if job.state == JobState.QUEUED:
        say(f"interrupted at {job.done:.0%}; go on with: {call.resuming(outing)}")
        return Exit.INTERRUPTED
    where = f" (see {outing.folder / 'traceback.txt'})" if job.traceback else ""
    complain(f"{job.error}{where}")
    return Exit.FAILED


def _left_out(artefacts: Iterable[Artefact]) -> Iterator[str]:
    """Yield a line for everything that could not be tested, and why."""
    for held in artefacts:
        where = held.name.removeprefix("remarks").strip()
        for who, why in held.info.items() if held.kind == "remarks" else ():
            yield f"not applicable: {who}{f' in {where}' if where else ''}: {why}"


def _told(outing: "Outing", job: Job, sentence: str) -> int:
    out().print(sentence, soft_wrap=True)
    say(f"written to {outing.folder}")
    if job.state == JobState.DIVERGED:
        complain(f"{job.error or 'every run diverged'}; the rows are kept")
    return _CODES[job.state]
