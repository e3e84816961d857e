"""The user's own data: read, prepared for runs, and stored beside them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from app.client import client, demo_access

if TYPE_CHECKING:
    from engine.data.user.architecture_preparation import (
        ArchitectureChoices,
        PreparedArchitectures,
    )
    from engine.data.user.image_archives import ImageArchive
    from engine.data.user.image_preparation import ImageChoices, PreparedImages
    from engine.data.user.table_plan import TableChoices
    from engine.data.user.table_preparation import PreparedTable
    from engine.data.user.table_reader import ReadOptions, UserTable


def read_table(data: bytes, options: "ReadOptions") -> "UserTable":
    """Read the user's table as it is.

    Raises:
        Refused: In one sentence, with the line or the column.
    """
    from engine.data.user import table_reader

    return table_reader.read_table(data, options)


def prepare_table(table: "UserTable", choices: "TableChoices") -> "PreparedTable":
    """Prepare a table for runs.

    Raises:
        Refused: With the problem, and the choice that would solve it.
    """
    from engine.data.user import table_preparation

    return table_preparation.prepare_table(table, choices)


def table_remarks(table: "UserTable", ready: "PreparedTable") -> tuple[str, ...]:
    """Return remarks on a table and on what is kept of it, one sentence each."""
    from engine.data.user import table_preparation

    return (*table.remarks, *table_preparation.table_remarks(table, ready))


def table_fields(ready: "PreparedTable", knobs: frozenset[str]) -> dict[str, object]:
    """Return knobs of a family of tasks that use a table, with sizes that fit it.

    Args:
        ready: The prepared table.
        knobs: The knobs that the family has.

    Raises:
        Refused: If the rows are too few for a task.
    """
    from engine.data.sources.supervised_table import distinct_row_counts
    from engine.data.user import class_splits, data_splits, task_sizes

    fields: dict[str, object] = {**_USUAL, **ready.knobs}
    if "use" in knobs:
        counts = distinct_row_counts(ready.found)
        pools = data_splits.classes_by_pool(ready.found)
        fields |= class_splits.episode_sizes(counts, pools)
    else:
        fields |= task_sizes.fit_rows(ready.found, ready.knobs.get("train_on", ""))
    return {name: value for name, value in fields.items() if name in knobs}


# What the knobs are where nothing was chosen: another file's choices must not stay.
_USUAL = {
    **{"text": "refuse", "empty": "refuse", "rare": "refuse"},
    **{"split": "", "shift": "", "train_on": "", "shift_by": "order"},
}


def group_distances(ready: "PreparedTable") -> tuple[float, ...]:
    """Return how far the groups of a shift column are from that of training."""
    from engine.data.user import data_splits

    if not ready.found.groups:
        return ()
    by, start = ready.knobs.get("shift_by", "order"), ready.knobs.get("train_on", "")
    found = data_splits.table_distances(ready.found, start, by)
    return tuple(sorted({far for far in found.values() if far}))


def explain_tasks(fields: Mapping[str, object], ready: "PreparedTable") -> str:
    """Return a sentence on what a task takes from a table."""
    from engine.data.user import task_sizes

    if "use" in fields:
        return task_sizes.explain_episodes(fields)
    examples, held_out = (int(str(fields[name])) for name in ("examples", "held_out"))
    return task_sizes.explain_rows(examples, held_out, ready.found.classes)


def store_table(ready: "PreparedTable", table: "UserTable", name: str) -> str:
    """Store a prepared table and the name of the user's file; return its digest."""
    from engine.data.user import csv_store

    client.checked_store()  # stored beside the runs, so not while the store is missing
    digest = demo_access.note_file(csv_store.store_csv(ready.file))
    source = table.digest if ready.changed else ""
    _store_record(digest, name, source, ready.summary)
    return digest


def prepare_images(data: bytes, choices: "ImageChoices") -> "PreparedImages":
    """Prepare the user's archive with one folder of images per class.

    Raises:
        Refused: In one sentence, with the members.
    """
    from engine.data.user import image_preparation

    return image_preparation.prepare_images(data, choices)


def image_rows(images: "ImageArchive") -> list[tuple[str, int, str]]:
    """Return name, number of images and pool of each class."""
    from engine.data.user import image_preparation

    return list(image_preparation.preview_rows(images))


def image_fields(images: "ImageArchive") -> dict[str, int | str]:
    """Return use, ways, shots and queries that the classes are enough for."""
    from engine.data.user import class_splits

    return class_splits.episode_sizes(images.counts().tolist(), images.pools)


def store_images(ready: "PreparedImages", name: str) -> str:
    """Store prepared images and the name of the user's archive; return their digest."""
    from engine.data.user import image_store

    client.checked_store()
    digest = demo_access.note_file(image_store.store_images(ready.archive))
    _store_record(digest, name, "", ready.summary)
    return digest


def prepare_architectures(
    data: bytes, choices: "ArchitectureChoices"
) -> "PreparedArchitectures":
    """Prepare the user's table of trained architectures.

    Raises:
        Refused: In one sentence, with the line or the column.
    """
    from engine.data.user import architecture_preparation

    return architecture_preparation.prepare_architectures(data, choices)


def store_architectures(ready: "PreparedArchitectures", name: str) -> str:
    """Store a prepared table and the name of the user's file; return its digest."""
    from engine.data.user import csv_store

    client.checked_store()
    digest = demo_access.note_file(csv_store.store_csv(ready.file))
    summary = f"{ready.table.count:,} architectures"
    _store_record(digest, name, "", summary)
    return digest


def _store_record(digest: str, name: str, source: str, summary: str) -> None:
    from engine.data.user.file_records import FileRecord, store_record

    store_record(digest, FileRecord(name, source, summary))


def describe_file(digest: str) -> tuple[str, str]:
    """Return the name of a stored file and what was kept of it; empty if unknown."""
    from engine.data.user.file_records import file_record

    record = file_record(digest)
    return (record.name, record.summary) if record else ("", "")
