"""Writing a run to files."""

from pathlib import Path

from engine.contract.jobs import Job
from engine.export import RunRecord, archive, notebook_json
from engine.export.overwrite_guard import check_file, check_folder
from engine.export.run_folder import export_run
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
    return export_run(record, path, job=job)
