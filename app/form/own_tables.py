"""Upload dialog for the user's own table of rows: a CSV, or with another separator.

Every choice has the same name as on the command line (`data own`).
"""

from typing import TYPE_CHECKING, Any

import streamlit as st

from app import session
from app.client import own_files
from app.form import table_choices, uploads
from app.widgets import tables
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused
from engine.stats.verdicts.wording import capitalize_first

if TYPE_CHECKING:
    from engine.data.user.table_preparation import PreparedTable
    from engine.data.user.table_reader import UserTable

HEADERS = {"auto": "Detect", "names": "Has names", "data": "Has data"}


@st.dialog("Your own data", width="large")
def table_dialog(place: str, knobs: frozenset[str]) -> None:
    """Take a file, preview it, and let the user choose what it is used for."""
    given = uploads.draw_uploader(
        "a CSV",
        "A table: CSV, or separated by semicolons, tabs or bars",
        ["csv", "tsv", "txt", "data"],
        "own_file",
        _draw_explanation,
    )
    if given is None:
        return
    try:
        table = _read(given.getvalue())
    except Refused as refusal:
        uploads.draw_refusal(refusal.message)
        return
    _draw_rows(table, given.name)
    # What becomes of the file is seen without scrolling past the choices.
    outcome = st.container()
    choices = table_choices.draw_choices(table, knobs)
    try:
        ready = own_files.prepare_table(table, choices)
        fields = own_files.table_fields(ready, knobs)
    except Refused as refusal:
        with outcome:
            uploads.draw_refusal(refusal.message)
        _draw_columns(table, None)
        return
    with outcome:
        st.markdown(f"**Kept:** {ready.summary}")
        st.caption(f"{capitalize_first(own_files.explain_tasks(fields, ready))}.")
        uploads.draw_remarks(own_files.table_remarks(table, ready))
    _draw_columns(table, ready)
    if st.button("Use this file", type="primary", key="own_use"):
        fields["digest"] = own_files.store_table(ready, table, given.name)
        later = {f"{place}.{name}": value for name, value in fields.items()}
        session.set_fields_later(later | _shift_fields(ready))
        st.rerun()


def _draw_explanation() -> None:
    st.caption(
        f"{uploads.where_files_stay()} It is not modified; a plain table of what is "
        "used is stored for the runs."
    )


def _read(data: bytes) -> "UserTable":
    """Read the file, as the user says.

    Raises:
        Refused: As the reader does.
    """
    from engine.data.user.table_reader import ReadOptions
    from engine.data.user.table_text import ENCODINGS

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
    encoding = right.selectbox(
        "Encoding", ENCODINGS, index=None, placeholder="Detect", key="own_encoding"
    )
    totals = st.toggle("Keep a last row of totals", key="own_totals")
    marks = tuple(mark.strip() for mark in missing.split(",") if mark.strip())
    return own_files.read_table(
        data, ReadOptions(header, marks, totals, encoding or "")
    )


def _draw_rows(table: "UserTable", name: str) -> None:
    import pandas as pd  # here, so that pages start without it

    st.caption(
        f"{escape_markdown(name)}: {table.rows:,} rows, {len(table.columns):,} columns"
    )
    tables.draw_table(
        pd.DataFrame(table.preview(5), columns=table.names),
        alt="The first rows of the file, as text",
    )


def _draw_columns(table: "UserTable", ready: "PreparedTable | None") -> None:
    """Draw the columns: what each holds and, of a file that is used, its role."""
    rows: list[dict[str, Any]] = [
        {"Column": column.name, "Kind": column.kind, "Missing": column.missing}
        for column in table.columns
    ]
    if ready:
        plans = {plan.name: plan for plan in ready.plans}
        for row in rows:
            plan = plans[row["Column"]]
            row |= {"Role": plan.role, "Use": plan.describe()}
    for row, column in zip(rows, table.columns, strict=True):
        row["Remark"] = column.note
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
