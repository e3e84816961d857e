"""From a user's table and the choices about it to the file that runs refer to.

A file that needs no change is stored as it is. Any other becomes a plain CSV of the
columns that are used; the same file and choices give the same bytes on any machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.contract.errors import Refused
from engine.data.sources.supervised_table import DataTable
from engine.data.user.columns import parse_number
from engine.data.user.csv_store import CsvFile, read_csv
from engine.data.user.data_splits import table_distances
from engine.data.user.plain_table import write_plain_csv
from engine.data.user.table_plan import ColumnPlan, TableChoices, plan_columns
from engine.data.user.table_reader import UserTable
from engine.data.user.target_selection import (
    TargetOptions,
    class_remarks,
    select_target,
    similar_classes,
)


@dataclass(frozen=True)
class PreparedTable:
    """The file that runs refer to, and what was kept of the original.

    Args:
        file: The file to store.
        plans: What became of each column.
        found: The rows that a run sees.
        knobs: Knobs of the family of tasks, without the file's digest.
        changed: Whether the file is another than the user's.
        summary: What was kept, such as "496 of 600 rows, 9 of 12 features".
        joined: Groups of classes that are one now.
    """

    file: CsvFile
    plans: tuple[ColumnPlan, ...]
    found: DataTable
    knobs: dict[str, str]
    changed: bool
    summary: str
    joined: tuple[tuple[str, ...], ...] = ()


def prepare_table(table: UserTable, choices: TableChoices) -> PreparedTable:
    """Prepare a table for runs.

    Args:
        table: The table.
        choices: What to do with it.

    Raises:
        Refused: With the obstacle, and the choice that removes it.
    """
    plans = tuple(plan_columns(table, choices))
    groups = _joined_classes(table, choices)
    options = _target_options(choices)
    file = _plain_file(table, choices, plans) if not groups else None
    changed = file is None
    if file is None:
        file = read_csv(write_plain_csv(table, choices, plans, groups))
    try:
        found = select_target(file, options)
    except Refused as refusal:
        if refusal.field != "empty" or "empty cell" not in refusal.message:
            raise
        raise Refused(_describe_gaps(refusal.message, plans), "empty") from None
    summary = _summary(table, plans, found)
    knobs = _knobs(choices)
    if found.groups and all(parse_number(name) is not None for name in found.groups):
        knobs |= {"shift_by": "distance"}
    dated = any(plan.role == "shift" and plan.use for plan in plans)
    if dated and not choices.train_on:
        knobs |= {"train_on": found.groups[0]}  # the earliest: shifts lie in the future
    if found.groups:
        table_distances(found, choices.train_on, "order")  # is that group there?
    return PreparedTable(file, plans, found, knobs, changed, summary, groups)


def _target_options(choices: TableChoices) -> TargetOptions:
    return TargetOptions(
        choices.target,
        choices.answers,
        choices.text,
        choices.empty,
        choices.rare,
        choices.split,
        choices.shift,
    )


def _knobs(choices: TableChoices) -> dict[str, str]:
    """Return the knobs that differ from a plain use of the file."""
    usual = _target_options(TableChoices(choices.target))._asdict()
    found = _target_options(choices)._asdict()
    knobs = {name: value for name, value in found.items() if value != usual[name]}
    knobs.pop("answers", "")
    if choices.train_on:
        knobs["train_on"] = choices.train_on
    return {"target": choices.target} | knobs


def _plain_file(
    table: UserTable, choices: TableChoices, plans: Sequence[ColumnPlan]
) -> CsvFile | None:
    """Return the user's own file, if a run reads it as the user means it."""
    if table.remarks or table.options.missing or table.options.encoding:
        return None
    if len(table.names) != len(plans):
        return None
    if table.source.layout.separator != "," or not table.source.layout.header:
        return None
    if not all(_is_plain(plan, choices) for plan in plans):
        return None
    try:
        file = read_csv(table.data)
    except Refused:
        return None
    same = [c.name for c in file.columns] == table.names and file.rows == table.rows
    return file if same else None


def _is_plain(plan: ColumnPlan, choices: TableChoices) -> bool:
    column = plan.column
    if plan.role == "ignore":
        # A run drops these by itself.
        return column.kind in ("text", "date", "empty") and choices.text == "drop"
    if plan.role == "target" and choices.answers == "classes":
        return True
    if plan.role == "split":
        return False
    if plan.role == "shift":
        return (
            column.form == "plain" and not column.missing and "in " not in column.note
        )
    plain = plan.use == "number" or (plan.role == "target" and column.form == "plain")
    return (
        plain
        and column.form == "plain"
        and not set(column.marks) - {""}
        and "is in " not in column.note
    )


def _joined_classes(
    table: UserTable, choices: TableChoices
) -> tuple[tuple[str, ...], ...]:
    """Return the groups of classes that are to be one, the most frequent first."""
    if not choices.join or choices.answers != "classes":
        return ()
    texts = table.column(choices.target).texts
    groups = similar_classes(tuple(texts))
    return tuple(tuple(sorted(g, key=lambda t: (-texts[t], t))) for g in groups)


def _describe_gaps(message: str, plans: Sequence[ColumnPlan]) -> str:
    """Return a refusal that says which columns have which marks."""
    found = [
        f"{plan.name}: "
        + ", ".join(
            f"{n:,} × {mark!r}" if mark else f"{n:,} empty"
            for mark, n in (plan.column.marks.items())
        )
        for plan in plans
        if plan.role != "ignore" and plan.column.marks
    ]
    listed = "; ".join(found[:3]) + (" and more" if len(found) > 3 else "")
    first = message.split(";")[0].replace("an empty cell", "a missing value")
    where = f" ({listed})" if listed else ""
    return f"{first}{where}; drop them, or use the training mean instead"


def _summary(table: UserTable, plans: Sequence[ColumnPlan], found: DataTable) -> str:
    """Return what was kept, in one line."""
    every = [p for p in plans if p.role in ("feature", "ignore")]
    used = [p for p in plans if p.role == "feature"]
    inputs = f" ({found.features:,} inputs)" if found.features != len(used) else ""
    what = f"{len(found.classes):,} classes" if found.classes else "values to predict"
    guess = table.source.layout.guess
    return (
        f"{found.rows:,} of {table.rows:,} rows, {len(used):,} of {len(every):,} "
        f"features{inputs}, {what}" + (f", read as {guess} (a guess)" if guess else "")
    )


def table_remarks(table: UserTable, ready: PreparedTable) -> tuple[str, ...]:
    """Return remarks on what is kept of a table, one sentence each."""
    joined = {text for group in ready.joined for text in group}
    remarks = [
        f"{' and '.join(repr(text[:40]) for text in group)} are one class now"
        for group in ready.joined
    ]
    if ready.found.classes and not joined:
        remarks += class_remarks(ready.found.classes)
    notes = {f"{column.name}: {column.note}" for column in ready.file.columns}
    told = [w for w in ready.file.warnings if w not in notes]
    if ready.changed:
        # Columns of the prepared file are not those that the user knows.
        told = [w for w in told if not w.startswith("there are empty cells")]
    remarks += told
    if ready.found.pool is not None:
        unused = int((ready.found.pool < 0).sum())
        if unused:
            remarks.append(
                f"{unused:,} rows are in no pool: their split cell is empty, or their "
                "inputs are in another pool, too"
            )
    return tuple(remarks)
