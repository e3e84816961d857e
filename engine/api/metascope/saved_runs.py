"""Reading a run from the files that it was saved to."""

from pathlib import Path

from engine.contract.errors import Refused
from engine.export import RunRecord, archive_reader
from engine.export.run_folder import archive_in
from metascope.results import Result


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
    file = archive_in(Path(path))
    if not file.is_file():
        raise Refused(
            f"{path} is not there: give an archive, or a folder that `Result.save` or "
            "`python -m metascope run` wrote",
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
