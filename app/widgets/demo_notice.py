"""What the public demo says of itself: a quiet line on every page, and all limits."""

import streamlit as st

from app import visitors
from app.widgets import page_elements, sign_in
from engine.executors.demo import (
    MIB,
    DemoLimits,
    demo_limits,
    is_demo,
    source_address,
)

_HOUR, _MINUTE, _MILLION = 3600, 60, 10**6
LOCAL_LAB = "http://localhost:8501/lab"  # where `make run` opens the lab


def draw_notice() -> None:
    """Draw the demo's line and the menu with its limits; nothing in a local lab."""
    if not is_demo():
        return
    limits = demo_limits()
    with st.container(
        horizontal=True, vertical_alignment="center", gap="small", key="demo_notice"
    ):
        st.caption(describe_demo(limits), width="content")
        with st.popover("Limits", type="tertiary", key="demo_limits"):
            _draw_limits(limits)
        sign_in.draw_sign_in()


def describe_demo(limits: DemoLimits) -> str:
    """Return what a visitor of the demo needs to know, in one line."""
    return (
        f"Public demo on a shared computer: a run takes up to "
        f"{limits.run_seconds // _MINUTE:,} min, and {_owner()} for "
        f"{limits.idle_seconds // _HOUR:,} h after the last visit."
    )


def _owner() -> str:
    if visitors.signed_in_user():
        return "your account keeps its runs"
    return "this browser keeps its runs"


def _draw_limits(limits: DemoLimits) -> None:
    page_elements.draw_facts(list_limits(limits))
    st.markdown(
        "There are no accounts: a cookie makes the runs those of this browser. "
        "Whoever has the link to a run sees that run, read-only. Storage may vanish, "
        "as when the demo restarts; a link then computes its run again."
        if not visitors.signed_in_user()
        else "Your runs follow your account. Whoever has the link to a run sees that "
        "run, read-only. Storage may vanish, as when the demo restarts; a link then "
        "computes its run again."
    )
    st.markdown("**On your own computer** nothing is limited:")
    draw_local_commands()


def list_limits(limits: DemoLimits) -> dict[str, object]:
    """Return the limits of the demo as texts, by name."""
    files = f"up to {limits.upload // MIB:,} MiB each" if limits.upload else "none"
    return {
        "Runs at a time": f"{limits.running:,}, and {limits.queued:,} waiting",
        "Time of a run": f"{limits.run_seconds // _MINUTE:,} min",
        "Work of a run": f"{limits.run_gradients / _MILLION:,.0f} million gradients",
        "Memory of a run": f"{limits.run_memory / MIB:,.0f} MiB",
        "Results of a run": f"{limits.run_disk / MIB:,.0f} MiB",
        "Runs are kept": f"{limits.idle_seconds // _HOUR:,} h after the last visit",
        "Files of your own": files,
    }


def draw_local_commands() -> None:
    """Draw the commands that start the lab on the visitor's own computer."""
    source = source_address()
    if not source:
        st.caption("Get the code from whoever runs this demo; then, in its folder:")
    st.code(local_commands(source), language="bash", wrap_lines=True)


def local_commands(source: str) -> str:
    """Return the commands that start the lab on another computer.

    Args:
        source: Where the code is; empty if the demo does not say.

    >>> local_commands("")
    'make run'
    """
    if not source:
        return "make run"
    return f"git clone {source} metascope\nmake -C metascope run"
