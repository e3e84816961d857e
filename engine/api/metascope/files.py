"""Writing a run to files."""

import re
from pathlib import Path

from engine.contract.errors import Refused
from engine.contract.jobs import Job
from engine.export import RunRecord, archive, notebook_json
from engine.export.overwrite_guard import check_file, check_folder
from engine.export.run_folder import export_run
from engine.store import files
from metascope.arguments import errors_of_writing

# Of files that other programs write; a folder of such a name is a mistake.
_NO_FOLDERS = re.compile(
    r"\.(csv|tsv|json|html?|xlsx|parquet|pkl|pickle|pth?|np[yz]|h5|png|svg|pdf|txt|md|py"
    r"|tar|gz|7z)",
    re.IGNORECASE,
)
_REMEDY = "pass replace=True to replace it"


def save_run(record: RunRecord, path: Path, job: Job, *, replace: bool) -> Path:
    """Write a run as a folder, an archive or a notebook.

    Args:
        record: The run.
        path: A folder, or a file that ends in `.zip` or `.ipynb`.
        job: Its state, title and times.
        replace: Whether to replace what is there.

    Raises:
        Refused: If the path holds something else, or cannot be written.
    """
    _check_name(path)
    if path.suffix in (".zip", ".ipynb"):
        data = (
            archive.pack_archive(record, job)
            if path.suffix == ".zip"
            else notebook_json(record, job.title or job.about)
        )
        check_file(path, data, force=replace, remedy=_REMEDY)
        with errors_of_writing(path):
            files.write_atomically(path, data)
        return path
    check_folder(path, record.key, force=replace, remedy=_REMEDY)
    with errors_of_writing(path):
        return export_run(record, path, job=job)


def _check_name(path: Path) -> None:
    if path.is_dir():
        return
    kinds = "a folder, or a file that ends in .zip (archive) or .ipynb (notebook)"
    if path.is_file() and path.suffix not in (".zip", ".ipynb"):
        raise Refused(f"{path} is a file; save writes {kinds}", "path")
    if _NO_FOLDERS.fullmatch(path.suffix):
        raise Refused(
            f"save writes {kinds}, not {path.suffix}: {path}; for other files see "
            "`report` (HTML), `metrics.to_csv` and `plot(…).write_html`",
            "path",
        )
