"""One sweep: its configurations by the calls of their primary question, and its CSV."""

import streamlit as st

from app import session
from app.client import run_groups
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown
from engine.contract.run_groups import RunGroup
from engine.export import sweep_table
from engine.stats.claims.calls import CALLS


def open_group() -> RunGroup | None:
    """Return the sweep that the URL names, with a notice if there is none."""
    name = st.query_params.get(session.SWEEP, "")
    group = run_groups.find_group(name)
    if name and group is None:
        st.info("There is no sweep with this id.", icon=":material/info:")
    return group


def draw_group(group: RunGroup) -> None:
    """Draw a sweep's title, its table and the way back to all runs."""
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
        alt="Configurations of the sweep: runs, calls and differences",
    )
    st.caption(f"Calls answer the primary question of each run. {sweep_table.LEGEND}")
    st.download_button(
        "Download CSV",
        lambda: sweep_table.sweep_csv(results),
        f"sweep-{group.name}.csv",
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
        "Compared": row.compared,
        "Metric": row.metric,
    }


def list_row(group: RunGroup) -> dict[str, object]:
    """Return a sweep as a row in the list of runs."""
    look = page_elements.STATES[group.state]
    return {
        "State": f"{look.sign} {look.word}",
        "Experiment": f"Sweep · {group.title}",
        "Done": group.done,
        "Status": f"{group.size} runs: {group.describe_states()}.",
        "Created": page_elements.format_age(group.created),
        "Id": group.name,
    }


def draw_open(group: RunGroup) -> None:
    """Draw the button that opens a sweep."""
    if st.button("Open", icon=":material/open_in_new:", key="open_sweep"):
        st.query_params[session.SWEEP] = group.name
        st.session_state.pop("runs_table", None)
        st.rerun()
