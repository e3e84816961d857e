"""data own: add the user's table of rows; print a spec that uses it."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from engine.cli import own_table_options as options
from engine.cli.console import Exit, err, print_json, print_status
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.data.user.scanned_column import ScannedColumn
    from engine.data.user.table_layout import Header
    from engine.data.user.table_plan import TableChoices
    from engine.data.user.table_preparation import PreparedTable
    from engine.data.user.table_reader import ReadOptions, UserTable

# Which option removes an obstacle, by the field of the refusal.
_OPTIONS = {
    "text": " (--one-hot, --ordinal, --date, --ignore or --drop)",
    "rare": " (--drop)",
    "empty": " (--drop or --mean)",
    "header": " (--no-header or --header)",
    "encoding": " (--encoding)",
    "train_on": " (--shift and --train-on)",
    "period": " (--shift-period)",
}
SHOWN = 40  # columns in the table


def own(
    file: options.File,
    *,
    target: options.Target = "",
    value: options.Value = False,
    drop: options.Drop = False,
    mean: options.Mean = False,
    one_hot: options.OneHot = None,
    ordinal: options.Ordinal = None,
    date: options.Date = None,
    ignore: options.Ignore = None,
    keep: options.Keep = None,
    missing: options.Missing = None,
    join_labels: options.JoinLabels = False,
    split: options.Split = "",
    shift: options.Shift = "",
    train_on: options.TrainOn = "",
    shift_period: options.ShiftPeriod = "",
    header: options.Header = None,
    all_rows: options.AllRows = False,
    encoding: options.Encoding = "",
    few_shot: options.FewShot = False,
) -> int:
    """Add a table; print a spec that uses it, for `run`."""
    from engine.data.user.table_plan import TableChoices
    from engine.data.user.table_reader import ReadOptions

    first: Header = "auto" if header is None else "names" if header else "data"
    rest = "drop" if drop else "refuse"
    choices = TableChoices(
        target,
        "value" if value else "classes",
        _names(one_hot),
        _names(ordinal),
        _names(date),
        _names(ignore),
        _names(keep),
        rest,
        "mean" if mean else rest,
        rest,
        join_labels,
        split,
        shift,
        train_on,
        shift_period,
    )
    if value and few_shot:
        raise Refused("--few-shot needs class labels; drop --value", "predict")
    if shift and few_shot:
        raise Refused("--few-shot has no shift column; drop --shift", "shift")
    reading = ReadOptions(first, tuple(missing or ()), all_rows, encoding)
    try:
        print_json(_add_table(file, reading, choices, few_shot))
    except Refused as refusal:
        # The refusal speaks of choices; on the command line they are options.
        hint = _OPTIONS.get(refusal.field, "")
        raise Refused(f"{refusal.message}{hint}", refusal.field) from None
    return Exit.OK


def _names(given: Sequence[str] | None) -> tuple[str, ...]:
    return tuple(
        n.strip() for text in given or () for n in text.split(",") if n.strip()
    )


def _add_table(
    file: Path,
    reading: "ReadOptions",
    choices: "TableChoices",
    few_shot: bool,
) -> dict[str, object]:
    """Store a table, say what is kept of it, and return a spec that uses it."""
    from engine.cli.own_classes_spec import rows_spec
    from engine.data.user.csv_store import store_csv
    from engine.data.user.file_records import FileRecord, store_record
    from engine.data.user.table_preparation import prepare_table
    from engine.data.user.table_reader import read_table_path

    _check_no_images(file)
    table = read_table_path(file, reading)
    if not choices.target:
        _print_columns(table, None)
        raise Refused("add --target with the name of the column to predict", "target")
    try:
        ready = prepare_table(table, choices)
    except Refused as refusal:
        _print_columns(table, None)
        if refusal.field != "missing":
            raise
        raise Refused(
            f"{refusal.message} ({_missing_options(table, refusal)})"
        ) from None
    _print_columns(table, ready)
    _print_remarks(table, ready)
    digest = store_csv(ready.file)
    source = table.digest if ready.changed else ""
    store_record(digest, FileRecord(file.name, source, ready.summary))
    knobs = {"digest": digest} | ready.knobs
    if few_shot:
        from engine.data.sources.supervised_table import distinct_row_counts
        from engine.data.user.data_splits import classes_by_pool

        counts, pools = distinct_row_counts(ready.found), classes_by_pool(ready.found)
        return rows_spec(knobs, counts, ready.found.features, pools)
    return _own_data_spec(knobs | {"predict": choices.answers})


def _check_no_images(file: Path) -> None:
    """Refuse a folder or an archive of images.

    Raises:
        Refused: With the command that takes them.
    """
    from engine.data.user.image_files import list_names
    from engine.data.user.image_folders import IMAGE_KINDS, UNREAD

    names = list_names(file)
    if any(name.lower().endswith((*IMAGE_KINDS, *UNREAD)) for name in names):
        raise Refused(
            f"{file.name} holds images, not a table: add it with `data own-images "
            f"{shlex.quote(str(file))}`",
            "file",
        )
    if file.is_dir():
        raise Refused(
            f"{file.name} is a folder; name one table, a file in it, or use `data "
            "own-images` for folders of images",
            "file",
        )


def _missing_options(table: "UserTable", refusal: Refused) -> str:
    """Return the options for texts among numbers, such as "--missing ERR"."""
    from engine.data.user.table_plan import odd_marks

    marks = odd_marks(table.columns)[:3]
    named = " ".join(f"--missing={shlex.quote(mark)}" for mark in marks)
    # The target of a regression cannot be used one-hot.
    rest = f"; else {_OPTIONS['text'].strip(' ()')}"
    return named + rest * ("one-hot" in refusal.message)


def _print_columns(table: "UserTable", ready: "PreparedTable | None") -> None:
    """Print the columns: what each holds, and what becomes of it."""
    shown = Table("column", "kind", "missing", "role", "use", "note", box=None)
    plans = {plan.name: plan for plan in ready.plans} if ready else {}
    for each in table.columns[:SHOWN]:
        plan = plans.get(each.name)
        role, use = (plan.role, plan.describe()) if plan else ("", "")
        note = "" if plan and role != "feature" else each.note
        shown.add_row(each.name, each.kind, _count_missing(each), role, use, note)
    err().print(shown)
    if len(table.columns) > SHOWN:
        print_status(f"and {len(table.columns) - SHOWN:,} more columns")
    print_status(f"{table.rows:,} rows, sha256 {table.digest}")
    for remark in table.remarks:
        hint = " (--encoding)" if remark.endswith("another encoding") else ""
        print_status(f"note: {remark}{hint}")


def _count_missing(column: "ScannedColumn") -> str:
    """Return how many cells have no value, and the marks among them."""
    marks = ", ".join(repr(mark) for mark in list(column.marks)[:3] if mark)
    return f"{column.missing:,} ({marks})" if marks else f"{column.missing:,}"


def _print_remarks(table: "UserTable", ready: "PreparedTable") -> None:
    from engine.data.user.table_preparation import table_remarks

    for remark in table_remarks(table, ready):
        hint = " (--join-labels)" if remark.endswith("if they are one") else ""
        print_status(f"note: {remark}{hint}")
    hint = " (--encoding)" if table.source.layout.guess else ""
    print_status(f"kept: {ready.summary}{hint}")


def _own_data_spec(knobs: dict[str, str]) -> dict[str, object]:
    """Return the default experiment on the user's data, with sizes that fit it."""
    from engine.contract.run_spec import Choice, ShiftChoice
    from engine.data.user.task_sizes import explain_rows
    from engine.presets import preset, spec_as_json
    from engine.tasks.optimization.own_data import OwnData

    own = OwnData.model_validate(knobs)
    sizes = own.fit_points()
    own = own.model_copy(update=sizes)
    own.check()
    family = Choice(name="own_data", knobs=knobs | sizes)
    spec = preset("default").spec.model_copy(update={"family": family})
    if distances := own.distances():
        chosen = ShiftChoice(name="other_group", severities=tuple(distances[:8]))
        spec = spec.model_copy(update={"shifts": (chosen,)})
    print_status(explain_rows(own.examples, own.held_out, own.table().classes))
    return spec_as_json(spec)
