"""One group of runs: its configurations by the calls of their primary question."""

import streamlit as st

from app import session
from app.client import run_groups
from app.widgets import tables
from app.widgets.escaping import escape_markdown
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_groups import RunGroup
from engine.export import sweep_table
from engine.stats.claims.calls import CALLS


def open_group() -> RunGroup | None:
    """Return the group that the URL names, with a notice if there is none."""
    name = st.query_params.get(session.SWEEP, "")
    group = run_groups.find_group(name)
    if name and group is None:
        st.info("There is no group of runs with this id.", icon=":material/info:")
    return group


def draw_group(group: RunGroup) -> None:
    """Draw a group's title, its table and the way back to all runs."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(escape_markdown(group.title), anchor=False)
        st.space("stretch")
        if st.button("All runs", icon=":material/arrow_back:", key="close_sweep"):
            del st.query_params[session.SWEEP]
            st.rerun()
    results = run_groups.read_results(group.name)
    tables.draw_table(
        [_table_row(row) for row in sweep_table.configuration_rows(results)],
        key="sweep_table",
        height="content",
        alt="Configurations of the group: runs, calls and differences",
    )
    st.caption(f"Calls answer the primary question of each run. {sweep_table.LEGEND}")
    st.download_button(
        "Download CSV",
        lambda: sweep_table.sweep_csv(results),
        f"{group.noun}-{group.name}.csv",
        "text/csv",
        key="sweep_csv",
        on_click="ignore",
        icon=":material/download:",
    )


def _table_row(row: sweep_table.ConfigurationRow) -> dict[str, object]:
    return {
        "Configuration": row.configuration,
        "Done": f"{row.done} of {row.runs}",
        **{call.capitalize(): row.calls[call] for call in CALLS},
        "Value": row.value,
        "Difference": row.difference,
        "Lowest": row.lowest,
        "Highest": row.highest,
        "Compared": name_in_words(row.compared),
        "Metric": row.metric,
    }
