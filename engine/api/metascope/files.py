"""Runs as files: folders and archives, written and read."""

from pathlib import Path

from metascope.results import Result

from engine.contract.errors import Refused
from engine.contract.jobs import Job
from engine.export import RunRecord, archive, archive_reader, notebook_json
from engine.export.exported_files import ARCHIVE, export_run
from engine.export.overwrite_guard import check_file, check_folder
from engine.store import files


def save_run(record: RunRecord, path: Path, job: Job) -> Path:
    """Write a run as a folder, an archive or a notebook.

    Args:
        record: The run.
        path: A folder, or a file that ends in `.zip` or `.ipynb`.
        job: Its state, title and times.

    Raises:
        Refused: If the path holds something else.
    """
    if path.suffix in (".zip", ".ipynb"):
        data = (
            archive.pack_archive(record, job)
            if path.suffix == ".zip"
            else notebook_json(record, job.title or job.about)
        )
        check_file(path, data, force=False)
        files.write_atomically(path, data)
        return path
    check_folder(path, record.key, force=False)
    return export_run(record, path, extra={ARCHIVE: archive.pack_archive(record, job)})


def load(path: str | Path) -> Result:
    """Return a run that was saved, without putting it into a store.

    Args:
        path: An archive, or a folder that `Result.save` or the command `run` wrote.

    Returns:
        The result, with the statistics that were saved with it.

    Raises:
        Refused: If there is no run of this release or an earlier one.

    Example:
        >>> import tempfile, metascope as ms
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     result = ms.run("smoke", replicates=1, store=None)
        ...     again = ms.load(result.save(folder + "/smoke"))
        >>> again.metrics.equals(result.metrics)
        True
    """
    file = Path(path)
    if file.is_dir():
        file = file / ARCHIVE
    if not file.is_file():
        raise Refused(
            f"{path} holds no run: give an archive, or a folder with {ARCHIVE}, which "
            "`Result.save` and `python -m metascope run` write",
            "path",
        )
    came = archive_reader.read_archived_run(file.read_bytes())
    record = RunRecord(
        came.job.key,
        came.spec,
        came.blocks,
        came.timings,
        came.artefacts,
        came.texts.get("summary"),
        came.texts.get("fingerprint"),
    )
    return Result(record, came.job)
