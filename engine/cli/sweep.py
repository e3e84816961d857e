"""sweep: queue a spec for every value of a grid and every seed, and compare them."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.table import Table

from engine.cli.console import Exit, Home, out, print_error, print_status
from engine.cli.executors import Address, On, Place, check_address, connect_workers
from engine.cli.sweep_runs import (
    SpecOptions,
    SweepRun,
    group_id,
    read_specs,
    settle_runs,
)
from engine.contract.effort import Effort
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.contract.run_groups import RunGroup
from engine.contract.run_spec import MOST_REPLICATES
from engine.contract.sweep_grid import (
    Sweep,
    describe_values,
    parse_seeds,
    parse_setting,
)

if TYPE_CHECKING:
    from engine.executors.queued_runs import Workers
    from engine.executors.stop_signal import StopSignal
    from engine.export.sweep_table import ConfigurationRow
    from engine.store import Store

_SPECS = "JSON files, or names of presets."
_SEEDS = "Such as 1-20 or 1,4,7. Default: each spec's own."
_GRID = (
    "PATH=VALUE,VALUE,… such as learner.lr=0.1,0.3,1 or net=mlp,conv4; repeatable. "
    "Paths: learner, family, net, outer, estimator (with .KNOB for one of its knobs), "
    "LABEL.KNOB of a learner, budget.FIELD, replicates."
)
_JOBS = (
    "Worker processes of this command's own; 0: those of the running engine, or where "
    "none runs, one per core."
)
_CSV = "Write one row per run to this file."
_YES = "Allow more than 200 runs."
_EFFORT = "quick, until-decided or fixed. Default: each spec's."
_WITH_RESULT = {JobState.DONE, JobState.DIVERGED}


def sweep(
    specs: Annotated[
        list[str], typer.Argument(metavar="SPEC.json|PRESET…", help=_SPECS)
    ],
    *,
    seeds: Annotated[str, typer.Option(help=_SEEDS)] = "",
    grid: Annotated[list[str] | None, typer.Option(help=_GRID)] = None,
    effort: Annotated[Effort | None, typer.Option(help=_EFFORT)] = None,
    replicates: Annotated[
        int | None, typer.Option(min=1, max=MOST_REPLICATES, help="How many per run.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "",
    title: Annotated[str, typer.Option(help="Of the sweep, in lists.")] = "",
    jobs: Annotated[int, typer.Option(min=0, max=256, help=_JOBS)] = 0,
    csv: Annotated[Path | None, typer.Option(help=_CSV)] = None,
    yes: Annotated[bool, typer.Option("--yes", help=_YES)] = False,
    on: On = Place.LOCAL,
    address: Address = "",
    home: Home = None,
) -> int:
    """Run specs over a grid and seeds; print a table of configurations by calls.

    What the store holds already is not computed again, so the same command continues
    an interrupted sweep.
    """
    asked = Sweep(
        read_specs(specs),
        tuple(map(parse_setting, grid or ())),
        parse_seeds(seeds) if seeds else (),
    )
    asked.check(confirmed=yes)
    if csv is not None:
        _check_csv(csv)
    check_address(on, address)
    from engine.store import Store

    members = settle_runs(asked, SpecOptions(effort, replicates, device))
    store = Store.open(home)
    group = group_id(members)
    with connect_workers(on, address, jobs, store) as workers:
        print_status(f"sweep {group}: {asked.describe_size()}")
        _compute(store, SweepCommand(group, title or _title(asked), members), workers)
    return _report(store, group, csv, len(members))


def _check_csv(csv: Path) -> None:
    """Check, before anything is computed, that this file can be written.

    Raises:
        Refused: If it cannot.
    """
    if csv.is_dir():
        raise Refused(f"{csv} is a folder; --csv takes a file", "csv")
    if not csv.absolute().parent.is_dir():
        raise Refused(f"the folder of {csv} does not exist", "csv")
    if not os.access(csv.absolute().parent, os.W_OK):
        raise Refused(f"the folder of {csv} cannot be written", "csv")


class SweepCommand(NamedTuple):
    """A sweep that is about to be queued: its id, title and runs."""

    group: str
    title: str
    members: list[SweepRun]


def _title(asked: Sweep) -> str:
    names = ", ".join(asked.bases)
    paths = [setting.path for setting in asked.settings]
    paths += ["seed"] if asked.run_count() > asked.configuration_count() else []
    return f"{names}: {' × '.join(paths)}" if paths else names


def _compute(store: "Store", command: SweepCommand, workers: "Workers") -> None:
    """Queue the runs that have no result, and wait for them.

    Raises:
        KeyboardInterrupt: If it was interrupted; what it had queued is then cancelled.
    """
    from engine.executors.queued_runs import cancel_unfinished, wait_for_group
    from engine.executors.stop_signal import StopSignal

    stop_signal, queued = StopSignal(), []
    try:
        with _handle_interrupts(stop_signal):
            _queue_runs(store, command, queued, stop_signal)
            wait_for_group(store, command.group, workers, stop_signal, _print_states)
    finally:
        count = cancel_unfinished(store, queued)
    if stop_signal.gone:
        print_status(
            f"{count} run{'s' * (count != 1)} cancelled; the same command continues "
            "the sweep"
        )
        raise KeyboardInterrupt


def _queue_runs(
    store: "Store",
    command: SweepCommand,
    queued: list[str],
    stop_signal: "StopSignal",
) -> None:
    """Queue the runs, noting the key of each at once, and file them as a group."""
    from engine.executors.queued_runs import submit_or_resume
    from engine.store import RunGroups
    from engine.store.run_groups import NewMember

    for spec, key, values in command.members:
        if stop_signal.gone:
            break  # what was queued so far still becomes one group
        if submit_or_resume(store, spec, key, describe_values(values)):
            queued.append(key)
    RunGroups(store.index).add(
        command.group,
        command.title,
        [NewMember(each.key, each.values) for each in command.members],
    )


def _print_states(group: RunGroup) -> None:
    print_status(group.describe_states())


@contextmanager
def _handle_interrupts(stop_signal: "StopSignal") -> Iterator[None]:
    """Stop in order at the first Ctrl-C, at once at the second."""

    def stop(signum: int, frame: FrameType | None) -> None:
        again = stop_signal.gone
        stop_signal.request_stop()
        if again:
            raise KeyboardInterrupt
        print_status("stopping…")

    before = {s: signal.signal(s, stop) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _report(store: "Store", group: str, csv: Path | None, size: int) -> int:
    """Print the table of a sweep, write its CSV, and return the exit code."""
    from engine.export import sweep_table
    from engine.store import files

    results = sweep_table.read_results(store, group)
    out().print(make_table(sweep_table.configuration_rows(results)))
    print_status(sweep_table.LEGEND)
    if csv is not None:
        files.write_atomically(csv, sweep_table.sweep_csv(results))
        print_status(f"written to {csv}")
    states = [each.job.state for each in results]
    for each in results:
        if each.job.state not in _WITH_RESULT:
            reason = each.job.error or each.job.state
            print_error(f"{describe_values(each.values)}: {reason}")
    if gone := size - len(results):
        print_error(f"{gone} of {size} runs were deleted meanwhile")
    if gone or not set(states) <= _WITH_RESULT:
        return Exit.FAILED
    return Exit.DIVERGED if JobState.DIVERGED in states else Exit.OK


def make_table(rows: Sequence["ConfigurationRow"]) -> Table:
    """Return the table of configurations by calls."""
    from engine.stats.claims.calls import CALLS

    heads = (
        "configuration",
        "done",
        *CALLS,
        "value",
        "difference",
        "lowest",
        "highest",
    )
    table = Table(*heads, "compared", "metric", box=None)
    for row in rows:
        numbers = (row.value, row.difference, row.lowest, row.highest)
        table.add_row(
            row.configuration,
            f"{row.done} of {row.runs}",
            *(str(row.calls[call]) for call in CALLS),
            *("" if number is None else f"{number:.3g}" for number in numbers),
            row.compared,
            row.metric,
        )
    return table
