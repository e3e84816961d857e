"""data own-images: add the user's images; print a spec that uses them."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from engine.cli.console import Exit, err, print_json, print_status
from engine.contract.errors import Refused

SHOWN = 20  # classes in the preview; an archive may have a thousand


def own_images(
    path: Annotated[
        Path,
        typer.Argument(help="A ZIP archive or a folder, with one subfolder per class."),
    ],
    *,
    leave_out: Annotated[
        bool,
        typer.Option(
            "--leave-out", help="Leave out damaged images and classes with too few."
        ),
    ] = False,
    drop_copies: Annotated[
        bool,
        typer.Option("--drop-copies", help="Leave out near copies within a class."),
    ] = False,
) -> int:
    """Add images of your own; print a spec that uses them, for `run`."""
    from engine.cli.own_classes_spec import images_spec
    from engine.data.user.file_records import FileRecord, store_record
    from engine.data.user.image_preparation import (
        ImageChoices,
        prepare_image_path,
        preview_rows,
    )
    from engine.data.user.image_store import store_images

    try:
        ready = prepare_image_path(path, ImageChoices(leave_out, drop_copies))
    except Refused as refusal:
        hint = " (--leave-out)" if refusal.field == "leave_out" else ""
        raise Refused(f"{refusal.message}{hint}", refusal.field) from None
    found = ready.archive
    classes = Table("class", "images", "pool", box=None)
    for name, count, pool in preview_rows(found)[:SHOWN]:
        classes.add_row(name, f"{count:,}", pool)
    err().print(classes)
    if len(found.names) > SHOWN:
        print_status(f"and {len(found.names) - SHOWN:,} more classes")
    for remark in ready.remarks:
        hint = " (--drop-copies)" if remark.endswith("support: leave them out") else ""
        print_status(f"note: {remark}{hint}")
    print_status(f"kept: {ready.summary}, sha256 {found.digest}")
    digest = store_images(found)
    store_record(digest, FileRecord(path.name, "", ready.summary))
    print_json(images_spec(digest, found.counts().tolist(), found.pools))
    return Exit.OK
