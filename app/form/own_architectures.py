"""Upload dialog for the user's own table of trained architectures.

A file is checked here, so that its problems are reported before a run uses it.
"""

from typing import TYPE_CHECKING

import streamlit as st

from app import session
from app.client import files
from app.form import uploads
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.data.sources.architecture_table import ArchitectureTable

MEGABYTES = 100
FORM = """\
One row per architecture and data set:

| column | content |
|---|---|
| `dataset` | the data set it was trained on |
| `op:NAME` | the option chosen at decision NAME, as text; one column per decision |
| `validation` | validation accuracy; empty where the training failed |
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
    if not (most := uploads.upload_megabytes(MEGABYTES)):
        uploads.draw_uploads_off("a table of architectures")
        return
    given = st.file_uploader(
        "A CSV with a header: UTF-8, commas, decimal points",
        type="csv",
        key="own_architectures",
        max_upload_size=most,
    )
    if given is None:
        st.markdown(FORM)
        return
    data = given.getvalue()
    try:
        unit = files.accuracy_unit(data)
        found = files.read_architectures(data, unit)
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return
    _draw_preview(found, unit)
    target = st.selectbox("Test searches on", found.tasks, key="own_searched")
    if st.button("Use this table", type="primary", key="own_use"):
        chosen = {
            "digest": files.store_csv(files.read_csv(data)),
            "accuracy": unit,
            "target": str(target),
        }
        session.set_fields_later(
            {f"{place}.{name}": chosen[name] for name in chosen if name in knobs}
        )
        st.rerun()


def _draw_preview(found: "ArchitectureTable", unit: str) -> None:
    st.caption(
        f"{found.count:,} architectures, data sets: "
        f"{escape_markdown(', '.join(found.tasks))}; accuracies are read as {unit}"
    )
    rows = [
        {"Decision": name, "Options": ", ".join(options)}
        for name, options in zip(found.positions, found.options, strict=True)
    ]
    tables.draw_table(rows, alt="Options by decision")
    for remark in files.table_remarks(found)[:6]:
        st.warning(escape_markdown(f"{remark[:1].upper()}{remark[1:]}."))
