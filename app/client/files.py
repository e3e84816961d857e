"""What leaves and enters as a file: exports, archives, and a person's own CSV."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from app.client import client
from engine.contract.jobs import Job

if TYPE_CHECKING:
    from engine.data.sources.architecture_table import Architectures
    from engine.data.sources.table import Table
    from engine.data.user.architecture_rows import Unit
    from engine.data.user.csv_store import OwnTable
    from engine.data.user.image_archives import OwnImages
    from engine.export import Record


def exported(run: client.Run, name: str) -> bytes:
    """Return one exported file of a run, the same as the command line's."""
    from engine import export

    return export.exported(_record(run))[name]


def compared(run: client.Run, name: str, titles: Mapping[str, str]) -> bytes:
    """Return the comparison table of a run.

    Args:
        run: The run.
        name: comparison.csv, or comparison.tex.
        titles: What parts are called, by name.
    """
    from engine.export import tables

    make = {
        "comparison.csv": tables.comparison_csv,
        "comparison.tex": tables.comparison_latex,
    }[name]
    return make(_record(run), titles)


def _record(run: client.Run) -> "Record":
    from engine import export

    return export.Record(
        key=run.key,
        spec=run.spec,
        blocks=list(run.blocks),
        timings=list(run.timings),
        artefacts=[],
        summary=run.summary,
        fingerprint=run.fingerprint,
    )


def archive(key: str) -> bytes:
    """Return a run as one archive that `bring` reads."""
    from engine import export

    return export.export_archive(client.store(), key)


def bring(data: bytes, tell: Callable[[str], None] = lambda line: None) -> Job:
    """File the run of an archive; it is read in a process of its own.

    Args:
        data: The archive.
        tell: Takes a line about what was not taken as it came.

    Raises:
        Refused: If it is no archive of a run; nothing is filed.
    """
    from engine.export.import_process import import_apart

    return import_apart(client.store(), data, client.catalogue().cards.values(), tell)


def read_own(data: bytes) -> "OwnTable":
    """Read a person's CSV: its columns, empty cells and what to know of them.

    Raises:
        Refused: In one sentence, with the line or the column.
    """
    from engine.data.user import csv_store

    return csv_store.read_own(data)


def check_own(table: "OwnTable", told: Mapping[str, object]) -> None:
    """Check the choices of target, kind of answer and what is left out.

    Raises:
        Refused: With what is in the way, and the choice that would remove it.
    """
    _chosen(table, told)


def class_sizes(table: "OwnTable", told: Mapping[str, object]) -> dict[str, int | str]:
    """Return a use, ways, shots and queries that a file's classes can give."""
    from engine.data.sources.table import different_rows

    return sizes(different_rows(_chosen(table, told)))


def sizes(counts: Sequence[int]) -> dict[str, int | str]:
    """Return a use, ways, shots and queries for classes of so many examples."""
    from engine.data.user.class_splits import fitting_sizes

    return fitting_sizes(counts)


def _chosen(table: "OwnTable", told: Mapping[str, object]) -> "Table":
    from engine.data.user import target_selection

    kept = {name: str(told[name]) for name in ("text", "empty", "rare")}
    asked = target_selection.Choices(str(told["target"]), str(told["predict"]), **kept)
    return target_selection.choose(table, asked)


def keep_own(table: "OwnTable") -> str:
    """Keep a file that was read; return its sha256."""
    from engine.data.user import csv_store as user_csv_store

    client.present_store()  # it is kept beside the runs: not where the store was
    return user_csv_store.store_own(table)


def accuracy_unit(data: bytes) -> "Unit":
    """Return what a table's accuracies look like: share or percent.

    Raises:
        Refused: If it is no CSV.
    """
    from engine.data.user import architecture_rows

    percent = architecture_rows.looks_like_percent(data)
    return "percent" if percent else "share"


def read_architectures(data: bytes, unit: "Unit") -> "Architectures":
    """Read a person's table of trained architectures.

    Raises:
        Refused: In one sentence, with the line or the column.
    """
    from engine.data.user import architectures

    return architectures.read_architectures(data, unit)


def remarks(table: "Architectures") -> tuple[str, ...]:
    """Return what a person should know of a table, one sentence each."""
    from engine.data.user import architectures as user_architectures

    return user_architectures.remarks(table)


def read_images(data: bytes) -> "OwnImages":
    """Read a person's archive: a folder of images for each class.

    Raises:
        Refused: In one sentence, with the member.
    """
    from engine.data.user import image_archives

    return image_archives.read_images(data)


def keep_images(images: "OwnImages") -> str:
    """Keep an archive that was read; return its sha256."""
    from engine.data.user import image_store

    client.present_store()
    return image_store.store_images(images)
