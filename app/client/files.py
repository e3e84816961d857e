"""Files in and out: exports, run archives, and the user's own data."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from app.client import client, demo_access
from engine.contract.jobs import Job

if TYPE_CHECKING:
    from engine.data.sources.architecture_table import ArchitectureTable
    from engine.data.sources.supervised_table import DataTable
    from engine.data.user.architecture_rows import AccuracyUnit
    from engine.data.user.csv_store import CsvFile
    from engine.data.user.image_archives import ImageArchive
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


def read_csv(data: bytes) -> "CsvFile":
    """Read the user's CSV: its columns, missing values and warnings.

    Raises:
        Refused: In one sentence, with the line or the column.
    """
    from engine.data.user import csv_store

    return csv_store.read_csv(data)


def check_target(table: "CsvFile", options: Mapping[str, object]) -> None:
    """Check the chosen target, prediction type, and what to drop.

    Raises:
        Refused: With the problem, and the setting that would solve it.
    """
    _select_target(table, options)


def class_episode_sizes(
    table: "CsvFile", options: Mapping[str, object]
) -> dict[str, int | str]:
    """Return use, ways, shots and queries that a file's classes are enough for."""
    from engine.data.sources.supervised_table import distinct_row_counts

    return fit_episode_sizes(distinct_row_counts(_select_target(table, options)))


def fit_episode_sizes(counts: Sequence[int]) -> dict[str, int | str]:
    """Return use, ways, shots and queries for classes with these example counts."""
    from engine.data.user.class_splits import episode_sizes

    return episode_sizes(counts)


def _select_target(table: "CsvFile", options: Mapping[str, object]) -> "DataTable":
    from engine.data.user import target_selection

    kept = {name: str(options[name]) for name in ("text", "empty", "rare")}
    asked = target_selection.TargetOptions(
        str(options["target"]), str(options["predict"]), **kept
    )
    return target_selection.select_target(table, asked)


def store_csv(table: "CsvFile") -> str:
    """Store a file that was read; return its sha256."""
    from engine.data.user import csv_store as user_csv_store

    client.checked_store()  # stored beside the runs, so not while the store is missing
    return demo_access.note_file(user_csv_store.store_csv(table))


def accuracy_unit(data: bytes) -> "AccuracyUnit":
    """Return the apparent unit of a table's accuracies: share or percent.

    Raises:
        Refused: If it is not a CSV, or its data sets differ in it.
    """
    from engine.data.user import architecture_rows

    return architecture_rows.guess_unit(data)


def read_architectures(data: bytes, unit: "AccuracyUnit") -> "ArchitectureTable":
    """Read the user's table of trained architectures.

    Raises:
        Refused: In one sentence, with the line or the column.
    """
    from engine.data.user import architecture_csv

    return architecture_csv.read_architectures(data, unit)


def table_remarks(table: "ArchitectureTable") -> tuple[str, ...]:
    """Return warnings about a table, one sentence each."""
    from engine.data.user import architecture_csv as user_architectures

    return user_architectures.table_remarks(table)


def read_images(data: bytes) -> "ImageArchive":
    """Read the user's archive with one folder of images per class.

    Raises:
        Refused: In one sentence, with the member.
    """
    from engine.data.user import image_archives

    return image_archives.read_images(data)


def store_images(images: "ImageArchive") -> str:
    """Store an archive that was read; return its sha256."""
    from engine.data.user import image_store

    client.checked_store()
    return demo_access.note_file(image_store.store_images(images))
