"""Files in and out: exports, run archives, and the user's own data."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from app.client import client
from engine.contract.jobs import Job

if TYPE_CHECKING:
    from engine.export import RunRecord


def export_file(run: client.Run, name: str) -> bytes:
    """Return one exported file of a run, the same as the command line's."""
    from engine import export

    return export.exported_file(_run_record(run), name)


def export_notebook(run: client.Run, title: str) -> bytes:
    """Return the notebook that computes a run again."""
    from engine import export

    return export.notebook_json(_run_record(run), title)


def export_python(run: client.Run) -> str:
    """Return the Python that computes a run again and reads its numbers."""
    from engine import export

    return export.python_script(_run_record(run))


def comparison_file(run: client.Run, name: str, titles: Mapping[str, str]) -> bytes:
    """Return the comparison table of a run.

    Args:
        run: The run.
        name: comparison.csv, or comparison.tex.
        titles: Titles of parts, by name.
    """
    from engine.export import comparison_tables

    make = {
        "comparison.csv": comparison_tables.comparison_csv,
        "comparison.tex": comparison_tables.comparison_latex,
    }[name]
    return make(_run_record(run), titles)


def _run_record(run: client.Run) -> "RunRecord":
    from engine import export

    return export.RunRecord(
        key=run.key,
        spec=run.spec,
        blocks=list(run.blocks),
        timings=list(run.timings),
        artefacts=[],
        summary=run.summary,
        fingerprint=run.fingerprint,
    )


def export_run_archive(run: client.Run) -> bytes:
    """Return a run as one archive, which `import_run_archive` reads."""
    from engine import export

    return export.export_archive(run.source or client.store(), run.key)


def import_run_archive(
    data: bytes, tell: Callable[[str], None] = lambda line: None
) -> Job:
    """Store the run of an archive, which is read in a separate process for safety.

    Args:
        data: The archive.
        tell: Called with a line about anything that was not imported unchanged.

    Raises:
        Refused: If it is not an archive of a run; nothing is stored.
    """
    from engine.export.import_process import import_in_subprocess

    return import_in_subprocess(
        client.store(), data, client.catalogue().cards.values(), tell
    )
