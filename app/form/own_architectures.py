"""An own table of trained architectures: its form is shown, it is looked at and kept.

What is wrong with a file is said in one sentence, before a run could meet it.
"""

from typing import TYPE_CHECKING

import streamlit as st

from app import session
from app.client import files
from app.widgets import panels, tables
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused

if TYPE_CHECKING:
    from engine.data.sources.architecture_table import ArchitectureTable

MEGABYTES = 100
FORM = """\
A line for each architecture and data set:

| column | holds |
|---|---|
| `dataset` | the data set it was trained on |
| `op:NAME` | the option taken at a decision, as text; one column for each decision |
| `validation` | validation accuracy; empty where the training failed |
| `epochs` | after how many; a line for each point of a learning curve (optional) |
| `test` | test accuracy at the last epochs (optional) |
| `cost` | price of the training up to there (optional) |
| any other | a property of the architecture, a number, such as `parameters` |

Every data set has the same architectures. Combinations of options that no line has
count as trainings that fail.
"""


@st.dialog("Your own architectures", width="large")
def architectures_dialog(place: str, knobs: frozenset[str]) -> None:
    """Take a file, show what is in it, let the data set of the tests be chosen."""
    given = st.file_uploader(
        "A CSV with a header: UTF-8, commas, decimal points",
        type="csv",
        key="own_architectures",
        max_upload_size=MEGABYTES,
    )
    if given is None:
        st.markdown(FORM)
        return
    data = given.getvalue()
    try:
        unit = files.accuracy_unit(data)
        found = files.read_architectures(data, unit)
    except Refused as refusal:
        panels.draw_refusal(refusal.message)
        return
    _draw_preview(found, unit)
    target = st.selectbox("Searched on", found.tasks, key="own_searched")
    if st.button("Use this table", type="primary", key="own_use"):
        told = {
            "digest": files.store_csv(files.read_csv(data)),
            "accuracy": unit,
            "target": str(target),
        }
        session.set_fields_later(
            {f"{place}.{name}": told[name] for name in told if name in knobs}
        )
        st.rerun()


def _draw_preview(found: "ArchitectureTable", unit: str) -> None:
    st.caption(
        f"{found.count:,} architectures, data sets: "
        f"{escape_markdown(', '.join(found.tasks))}; "
        f"accuracies are taken as {unit}"
    )
    rows = [
        {"Decision": name, "Options": ", ".join(options)}
        for name, options in zip(found.positions, found.options, strict=True)
    ]
    tables.draw_table(rows, alt="The options of each decision")
    for remark in files.table_remarks(found)[:6]:
        st.warning(escape_markdown(f"{remark[:1].upper()}{remark[1:]}."))
