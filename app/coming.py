"""What a run that is under way will show, and how far it is; back when it is there."""

import streamlit as st

from app import door, frame, panels
from app.door import Run
from engine.contract.jobs import ALIVE, JobState


def coming(run: Run, title: str, text: str) -> None:
    """Say what will be here, and how far the run is; draw the page anew at its end.

    Args:
        run: A run that waits or runs.
        title: What is coming.
        text: What it will show.
    """
    panels.empty(title, text, icon=":material/hourglass_top:")
    frame.polled(_until, 2.0)(run.key)


def _until(key: str) -> None:
    job = door.job(key)
    if job is None or job.state not in ALIVE:
        st.rerun()
    running = job.state == JobState.RUNNING
    done = min(1.0, max(0.0, door.progress(key).done)) if running else 0.0
    st.progress(done, panels.explain(job, door.engine_trouble()))
