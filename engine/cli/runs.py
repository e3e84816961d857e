"""runs: list, show, tag, export, import, cancel, resume and delete runs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from engine.cli import run_annotations, run_list
from engine.cli.console import (
    AsJson,
    Exit,
    Force,
    out,
    print_json,
    print_status,
    read_file,
    verdict_text,
)
from engine.contract.errors import Refused
from engine.contract.jobs import Job
from engine.contract.text_decoding import clean
from engine.store import NoStore, RunGroups, Store, annotations, files

runs = typer.Typer(help="List, show, export, import, cancel, resume and delete runs.")
Key = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, or its first digits.")
]
Keys = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN|FOLDER…",
        help="Ids of runs or their first digits, or folders written by `run`.",
    ),
]
_SHORTEST = 4  # hex digits; fewer would match runs by accident


@runs.command()
def show(key: Key, *, as_json: AsJson = False) -> int:
    """Show one run: its state, title, error and verdict."""
    _refuse_folder(key)
    store = Store.open_existing()
    job = find_run(store, key)
    summary = store.summary(job.key) or {}
    whole = {
        "job": run_list.job_as_dict(job),
        "spec": store.spec(job.key).model_dump(mode="json"),
        "artefacts": [entry._asdict() for entry in store.artefacts(job.key)],
        "fingerprint": store.fingerprint(job.key),
        "summary": summary,
        "annotations": annotations.read_annotations(store.index, job.key)._asdict(),
    }
    if as_json:
        print_json(whole)
        return Exit.OK
    said = annotations.read_annotations(store.index, job.key)
    lines = {
        "run": job.key,
        "state": f"{job.state}, {job.done:.0%}",
        "title": job.title or job.about,
        "tags": ", ".join(said.tags),
        "note": said.note,
        "error": job.error,
        "damaged": job.damaged,
        "verdict": verdict_text(summary),
    }
    for name, value in lines.items():
        if value:
            out().print(f"{name:8} {value}", soft_wrap=True)
    return Exit.OK


@runs.command()
def export(
    key: Key,
    out: Annotated[
        Path, typer.Option(help="Output folder, or a file ending in .zip or .ipynb.")
    ],
    *,
    traces: Annotated[bool, typer.Option(help="Every trace in metrics.csv.")] = False,
    force: Force = False,
) -> int:
    """Write a run's files to a folder, all of it to an archive, or a notebook.

    The notebook (.ipynb) computes the run again and compares its numbers.
    """
    from engine.export import RunRecord, export_archive, export_run, notebook_json
    from engine.export.overwrite_guard import check_file, check_folder

    store = Store.open_existing()
    job = find_run(store, key)
    if out.suffix in (".zip", ".ipynb"):
        if out.suffix == ".zip":
            data = export_archive(store, job.key)
        else:
            record = RunRecord.from_store(store, job.key)
            data = notebook_json(record, job.title or job.about)
        check_file(out, data, force=force)
        files.write_atomically(out, data)
    else:
        check_folder(out, job.key, force=force)
        record = RunRecord.from_store(store, job.key)
        export_run(record, out, traces=traces, job=job)
    print_status(f"written to {out}")
    return Exit.OK


@runs.command()
def table(
    keys: Keys,
    *,
    latex: Annotated[bool, typer.Option(help="Print LaTeX instead of CSV.")] = False,
    claims: Annotated[
        bool, typer.Option(help="Print the calls, one comparison of two per row.")
    ] = False,
) -> int:
    """Print the comparison table of runs: learners by conditions, with intervals.

    Of several runs, the rows begin with the run's id or its folder.
    """
    from engine.cli.run_tables import make_table, read_records

    if latex and claims:
        raise Refused("--claims is printed as CSV; leave out --latex", "latex")
    records = read_records(keys, find_run)
    text = make_table(records, latex=latex, claims=claims)
    out().print(text, soft_wrap=True, end="")
    return Exit.OK


@runs.command("import")
def import_run(
    archives: Annotated[
        list[Path],
        typer.Argument(
            metavar="ARCHIVE|FOLDER…",
            help="Archives written by `runs export`, or folders written by `run`.",
        ),
    ],
) -> int:
    """Import runs that another installation, or the command `run`, computed."""
    from engine.catalogue import all_cards
    from engine.export.import_process import import_in_subprocess
    from engine.export.run_folder import archive_in

    given = [read_file(archive_in(path)) for path in archives]  # all are there
    store = Store.open()
    for path, data in zip(archives, given, strict=True):
        job = import_in_subprocess(store, data, all_cards(), print_status)
        print_status(f"{path}: imported as {job.key[:12]}, {job.state}")
    return Exit.OK


@runs.command()
def cancel(key: Key) -> int:
    """Cancel a run; its rows are kept."""
    store = _existing_store()
    job = store.cancel(find_run(store, key).key)
    print_status(f"{job.key[:12]} is {job.state}")
    return Exit.OK


@runs.command()
def resume(key: Key) -> int:
    """Queue an unfinished run again; it resumes from its checkpoint."""
    from engine.executors.supervisor import supervisor_status

    store = _existing_store()
    job = store.resume(find_run(store, key).key)
    asleep = "" if supervisor_status(store.home) else f"; {run_list.ASLEEP}"
    print_status(f"{job.key[:12]} is {job.state}{asleep}")
    return Exit.OK


@runs.command()
def delete(
    key: Key,
    *,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask for confirmation.")
    ] = False,
) -> int:
    """Delete a run and its files permanently."""
    store = _existing_store()
    job = find_run(store, key)
    if not yes:
        # Without a terminal nobody can answer; a script must not hang.
        if not sys.stdin.isatty():
            raise Refused("add --yes to delete without confirmation", "yes")
        typer.confirm(f"Delete {job.key[:12]} ({job.title or job.about})?", abort=True)
    store.delete(job.key)
    print_status(f"deleted {job.key[:12]}")
    return Exit.OK


def _refuse_folder(key: str) -> None:
    """Refuse the folder of `run`, which is no run of the store, with what to read.

    Raises:
        Refused: If the argument is such a folder.
    """
    folder = Path(key)
    if (folder / "summary.json").is_file():
        raise Refused(
            f"{clean(key)} is a folder that `run` wrote: read summary.json (verdict) "
            "and metrics.csv there, tabulate it by `runs table`, or put it into the "
            "store by `runs import`; this command reads the runs of the store",
            "run",
        )


def _existing_store() -> Store:
    """Open the store for a change, without creating one.

    Raises:
        Refused: If there is none, and so no such run.
    """
    try:
        return Store.open_existing()
    except NoStore as none:
        raise Refused(str(none), "run") from None


def find_run(store: Store, start: str) -> Job:
    """Return the run whose id begins with these digits.

    Args:
        store: Where to search.
        start: At least 4 hex digits; surrounding blanks and case do not matter.

    Raises:
        Refused: If no run matches, or more than one.
    """
    wish = start.strip().lower()
    if len(wish) < _SHORTEST or not set(wish) <= set("0123456789abcdef"):
        raise Refused(
            f"give at least {_SHORTEST} hex digits of a run's id, not {start[:40]!r}",
            "run",
        )
    # A full key also finds a run of another kind, which lists leave out.
    if len(wish) == 64:
        exact = store.job(wish)
        matching = [exact] if exact else []
    else:
        matching = [job for job in store.jobs(text=wish) if job.key.startswith(wish)]
    if not matching and (sweep := RunGroups(store.index).find(wish)):
        raise Refused(
            f"{sweep.name} is a {sweep.noun}; this command takes one of its runs: "
            f"`python -m engine runs list --group {sweep.name}` lists them",
            "run",
        )
    if not matching:
        raise Refused(f"no run has an id that begins with {start[:64]}", "run")
    if len(matching) > 1:
        raise Refused(f"{len(matching)} runs have ids that begin with {wish}", "run")
    return matching[0]


def _open_run(start: str) -> tuple[Store, Job]:
    store = _existing_store()
    return store, find_run(store, start)


runs.command("list")(run_list.list_runs)
run_annotations.add_commands(runs, _open_run)
