"""Upload dialog for the user's own table of rows: a CSV, or with another separator.

Every choice has the same name as on the command line (`data own`).
"""

from typing import TYPE_CHECKING, Any

import streamlit as st

from app import session
from app.client import own_files
from app.form import uploads
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused
from engine.stats.verdicts.wording import capitalize_first

if TYPE_CHECKING:
    from engine.data.user.table_plan import TableChoices
    from engine.data.user.table_preparation import PreparedTable
    from engine.data.user.table_reader import UserTable

MEGABYTES = 100
SHOWN = 8  # remarks
# What is done about missing values, by the value of the family's knob.
GAPS = {
    "refuse": "Refuse the file",
    "drop": "Drop their rows",
    "mean": "Use the training mean",
}
HEADERS = {"auto": "Judge", "names": "Has names", "data": "Has data"}


@st.dialog("Your own data", width="large")
def table_dialog(place: str, knobs: frozenset[str]) -> None:
    """Take a file, preview it, and let the user choose what it is used for."""
    if not (most := uploads.upload_megabytes(MEGABYTES)):
        uploads.draw_uploads_off("a CSV")
        return
    given = st.file_uploader(
        "A table: CSV, or separated by semicolons, tabs or bars",
        type=["csv", "tsv", "txt", "data"],
        key="own_file",
        max_upload_size=most,
    )
    if given is None:
        st.caption(
            f"{uploads.where_files_stay()} It is not modified; a plain table of what "
            "is used is stored for the runs."
        )
        return
    try:
        table = _read(given.getvalue())
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return
    _draw_rows(table, given.name)
    choices = _draw_choices(table, knobs)
    try:
        ready = own_files.prepare_table(table, choices)
        fields = own_files.table_fields(ready, knobs)
    except Refused as refusal:
        _draw_columns(table, None)
        page_elements.draw_refusal(refusal.message)
        return
    _draw_columns(table, ready)
    st.markdown(f"**Kept:** {ready.summary}")
    st.caption(f"{capitalize_first(own_files.explain_tasks(fields, ready))}.")
    for remark in own_files.table_remarks(table, ready)[:SHOWN]:
        st.warning(escape_markdown(f"{capitalize_first(remark)}."))
    if st.button("Use this file", type="primary", key="own_use"):
        fields["digest"] = own_files.store_table(ready, table, given.name)
        later = {f"{place}.{name}": value for name, value in fields.items()}
        session.set_fields_later(later | _shift_fields(ready))
        st.rerun()


def _read(data: bytes) -> "UserTable":
    """Read the file, as the user says.

    Raises:
        Refused: As the reader does.
    """
    from engine.data.user.table_reader import ReadOptions

    left, middle, right = st.columns(3, vertical_alignment="bottom")
    header = left.segmented_control(
        "First line",
        list(HEADERS),
        format_func=HEADERS.__getitem__,
        default="auto",
        key="own_header",
        required=True,
    )
    missing = middle.text_input(
        "Further marks of missing values",
        placeholder="-999, age=0",
        key="own_missing",
        help="Empty cells, ?, NA, N/A, NaN, null and #N/A are marks already. "
        "age=0 is only for the column age.",
    )
    totals = right.toggle("Keep a last row of totals", key="own_totals")
    marks = tuple(mark.strip() for mark in missing.split(",") if mark.strip())
    return own_files.read_table(data, ReadOptions(header, marks, totals))


def _draw_rows(table: "UserTable", name: str) -> None:
    import pandas as pd  # here, so that pages start without it

    st.caption(
        f"{escape_markdown(name)}: {table.rows:,} rows, {len(table.columns):,} columns"
    )
    tables.draw_table(
        pd.DataFrame(table.preview(5), columns=table.names),
        alt="The first rows of the file, as text",
    )


def _draw_choices(table: "UserTable", knobs: frozenset[str]) -> "TableChoices":
    """Draw the choices; each names columns of the file."""
    from engine.data.user.table_plan import TableChoices

    names = table.names
    left, right = st.columns(2)
    with left:
        target = st.selectbox(
            "Target column", names, index=len(names) - 1, key="own_target"
        )
        answers = "classes"
        if "predict" in knobs:
            answers = st.segmented_control(
                "Predict",
                ["classes", "value"],
                default="classes",
                key="own_predict",
                required=True,
            )
        join = st.toggle("Join classes that look alike", key="own_join")
        split = _draw_column("Split column", names, "own_split")
        shift = _draw_column("Shift column", names, "own_shift", "shift" in knobs)
    others = [name for name in names if name not in (target, split, shift)]
    with right:
        empty = st.selectbox(
            "Rows with missing values",
            list(GAPS),
            format_func=GAPS.__getitem__,
            key="own_empty",
        )
        text = st.toggle("Drop other columns that are not numbers", key="own_text")
        rare = st.toggle("Drop rare classes", key="own_rare")
        lists = _draw_lists(table, others)
    return TableChoices(
        target=str(target),
        answers=str(answers),
        text="drop" if text else "refuse",
        empty=str(empty),
        rare="drop" if rare else "refuse",
        join=join,
        split=split,
        shift=shift,
        **lists,
    )


def _draw_column(label: str, names: list[str], key: str, there: bool = True) -> str:
    """Draw a choice of a column or none."""
    if not there:
        return ""
    chosen = st.selectbox(label, names, index=None, placeholder="None", key=key)
    return str(chosen or "")


def _draw_lists(table: "UserTable", others: list[str]) -> dict[str, Any]:
    """Draw the choices of several columns; those that cannot apply are not drawn."""
    kinds = {column.name: column.kind for column in table.columns}
    worded = [name for name in others if kinds[name] in ("text", "boolean")]
    dated = [name for name in others if kinds[name] == "date"]
    lists: dict[str, Any] = {}
    for field, label, names in (
        ("one_hot", "One-hot: an input per value", worded),
        ("ordinal", "Ordinal: 0, 1, … in order", worded),
        ("dates", "Dates as days", dated),
        ("ignore", "Leave out", others),
        ("keep", "Use although it would be left out", others),
    ):
        if names:
            chosen = st.multiselect(label, names, key=f"own_{field}")
            lists[field] = tuple(name for name in chosen if name in names)
    return lists


def _draw_columns(table: "UserTable", ready: "PreparedTable | None") -> None:
    """Draw the columns: what each holds, and what becomes of it."""
    plans = {plan.name: plan for plan in ready.plans} if ready else {}
    rows = [
        {
            "Column": column.name,
            "Kind": column.kind,
            "Missing": column.missing,
            "Role": plans[column.name].role if ready else "",
            "Use": plans[column.name].describe() if ready else "",
            "Remark": column.note,
        }
        for column in table.columns
    ]
    tables.draw_table(rows, alt="Kind, missing values, role and use of each column")


def _shift_fields(ready: "PreparedTable") -> dict[str, Any]:
    """Return the fields of the shift to other groups; empty without a shift column."""
    from app.experiment.fields import format_numbers

    distances = own_files.group_distances(ready)
    if not distances:
        return {}
    return {
        "k.shifts": ["other_group"],
        "k.shift.other_group.severities": format_numbers(distances[:8]),
    }
