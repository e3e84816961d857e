"""Upload dialog for the user's own table of trained architectures.

A file is checked here, so that its problems are reported before a run uses it.
"""

from typing import TYPE_CHECKING

import streamlit as st

from app import session
from app.client import own_files
from app.form import uploads
from app.widgets import tables
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.data.user.architecture_preparation import (
        ArchitectureChoices,
        PreparedArchitectures,
    )

PART_SEARCHED = 3  # at most a third of the architectures is evaluated
UNITS = {"auto": "Detect", "share": "Shares, 0 to 1", "percent": "Percent"}
RAGGED = {
    "refuse": "Refuse the file",
    "common": "Keep those that all have",
    "failed": "Count the others as failed",
}
FORM = """\
One row per architecture and data set:

| column | content |
|---|---|
| `dataset` | the data set it was trained on |
| `op:NAME` | the option chosen at decision NAME, as text; one column per decision |
| `validation` | validation accuracy; empty where the training failed |
| `seed` | which of several trainings; a search sees one of them (optional) |
| `epochs` | epochs trained so far; one row per point of a learning curve (optional) |
| `test` | test accuracy at the last epochs (optional) |
| `cost` | cost of training up to there (optional) |
| any other | a numeric property of the architecture, such as `parameters` |

Every data set must have the same architectures. Combinations of options without a row
count as failed trainings.
"""


@st.dialog("Your own architectures", width="large")
def architectures_dialog(place: str, knobs: frozenset[str]) -> None:
    """Take a file, preview it, and let the user choose the data set of the tests."""
    given = uploads.draw_uploader(
        "a table of architectures",
        "A table (CSV or JSON)",
        ["csv", "tsv", "txt", "json"],
        "own_architectures",
        _draw_form,
    )
    if given is None:
        return
    try:
        ready = own_files.prepare_architectures(given.getvalue(), _draw_choices())
    except Refused as refusal:
        uploads.draw_refusal(refusal.message)
        return
    found = ready.table
    _draw_preview(ready)
    target = st.selectbox("Test searches on", found.tasks, key="own_searched")
    if st.button("Use this table", type="primary", key="own_use"):
        chosen = {
            "digest": own_files.store_architectures(ready, given.name),
            "accuracy": ready.unit,
            "target": str(target),
        }
        later = {f"{place}.{name}": chosen[name] for name in chosen if name in knobs}
        session.set_fields_later(later | _fit_budget(found.count))
        st.rerun()


def _draw_form() -> None:
    """Draw the form of a table, and a table to fill in."""
    from engine.data.user.architecture_columns import TEMPLATE

    st.markdown(FORM)
    st.download_button(
        "Download a table to fill in", TEMPLATE, "architectures.csv", "text/csv"
    )


def _draw_choices() -> "ArchitectureChoices":
    """Draw what may be chosen about a table that is not of the form above."""
    from engine.data.user.architecture_columns import ROLES
    from engine.data.user.architecture_preparation import ArchitectureChoices

    left, middle, right = st.columns(3)
    columns = left.text_input(
        "What columns are",
        placeholder="validation=acc, decision=width",
        key="own_columns",
        help=f"ROLE=COLUMN, parted by commas. Roles: {', '.join(ROLES)}. Usual names "
        "are found without it.",
    )
    accuracy = middle.selectbox(
        "Accuracies are",
        list(UNITS),
        format_func=UNITS.__getitem__,
        key="own_accuracy",
    )
    ragged = right.selectbox(
        "Where data sets differ in architectures",
        list(RAGGED),
        format_func=RAGGED.__getitem__,
        key="own_ragged",
    )
    named = tuple(text.strip() for text in columns.split(",") if text.strip())
    return ArchitectureChoices(named, accuracy, ragged)


def _fit_budget(count: int) -> dict[str, int]:
    """Return a horizon that leaves something to search, if the form's does not."""
    most = max(1, count // PART_SEARCHED)
    now = st.session_state.get("k.budget.horizon", most)
    return {"k.budget.horizon": most} if now > most else {}


def _draw_preview(ready: "PreparedArchitectures") -> None:
    found = ready.table
    st.caption(
        f"{found.count:,} architectures, data sets: "
        f"{escape_markdown(', '.join(found.tasks))}"
    )
    rows = [
        {"Decision": name, "Options": ", ".join(options)}
        for name, options in zip(found.positions, found.options, strict=True)
    ]
    tables.draw_table(rows, alt="Options by decision")
    uploads.draw_remarks(ready.remarks)
