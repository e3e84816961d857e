"""The one primary action, and what it will take."""

import streamlit as st

from app import cost, door, panels
from engine.contract.runs import RunSpec


def run_button(wanted: tuple[RunSpec, str] | None) -> bool:
    """Draw the one primary action; says whether it was pressed."""
    job = door.job(wanted[1]) if wanted else None
    done = job is not None and job.state == door.JobState.DONE
    with st.container(key="runbar"):
        pressed = st.button(
            "Open result" if done else "Run",
            key="run_button",
            type="primary",
            icon=":material/folder_open:" if done else ":material/play_arrow:",
            shortcut="Ctrl+Enter",
            width="stretch",
            disabled=wanted is None,
            help="Already computed: opens at once." if done else None,
        )
        if done:
            st.caption("This exact experiment is already computed.")
        elif wanted is not None:
            _about(wanted[0])
    return pressed


def _about(spec: RunSpec) -> None:
    """Say what the run will take, before it is started."""
    took = cost.seconds(spec)
    if took is None:
        st.caption(cost.told(spec, door.kind(spec)))
    else:
        st.caption(f"About {panels.span(max(1.0, took))}, as the last runs went.")
