"""A run as a folder of files, which the lab can open and compute again."""

from collections.abc import Callable
from pathlib import Path

from engine.contract.errors import Refused
from engine.contract.jobs import Job
from engine.export.archive import pack_archive
from engine.export.claim_tables import claims_csv
from engine.export.data_dictionary import data_dictionary
from engine.export.exported_files import SMALL, RunRecord, metrics_csv
from engine.store import files

ARCHIVE = "run.zip"  # all of the run, as `runs import` takes it
_MAKERS: dict[str, Callable[[RunRecord], bytes]] = {
    "claims.csv": claims_csv,
    "DATA_DICTIONARY.md": lambda record: data_dictionary(),
    **SMALL,
}


def exported_files(record: RunRecord, *, traces: bool = False) -> dict[str, bytes]:
    """Return the exported files of a run, by name; without its archive.

    Args:
        record: The run.
        traces: Whether metrics.csv includes single traces.
    """
    metrics = {"metrics.csv": metrics_csv(record, traces=traces)}
    return metrics | {name: make(record) for name, make in _MAKERS.items()}


def exported_file(record: RunRecord, name: str) -> bytes:
    """Return one of the exported files, without the others; metrics without traces."""
    return metrics_csv(record) if name == "metrics.csv" else _MAKERS[name](record)


def export_run(
    record: RunRecord, folder: Path, *, traces: bool = False, job: Job | None = None
) -> Path:
    """Write the files of a run to a folder.

    Args:
        record: The run.
        folder: Created if it does not exist.
        traces: Whether metrics.csv includes single traces.
        job: Its state, title and times, to write its archive, too; None for no archive.

    Returns:
        The folder.

    Raises:
        StoreError: If it cannot be written.
    """
    try:  # not `make_folder`: an existing folder of the user keeps its permissions
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise files.as_store_error(error) from error
    made = exported_files(record, traces=traces)
    made |= {ARCHIVE: pack_archive(record, job)} if job is not None else {}
    for name, data in made.items():
        files.write_atomically(folder / name, data)
    return folder


def archive_in(path: Path) -> Path:
    """Return the archive of a run: the file itself, or the one in a folder.

    Raises:
        Refused: If the folder has none.
    """
    if not path.is_dir():
        return path
    if (path / ARCHIVE).is_file():
        return path / ARCHIVE
    raise Refused(
        f"{path} holds no {ARCHIVE}, the run's archive, which `run --out` writes from "
        "this release on: compute the run again with --force, or give an archive",
        "run",
    )
