"""Whether the lab takes files, and how large: the public demo takes none by default."""

import streamlit as st

from app.widgets import demo_notice
from engine.executors.demo import MIB, demo_limits, is_demo


def upload_megabytes(local: int) -> int:
    """Return how large an uploaded file may be, MiB; 0 if none is taken.

    Args:
        local: The limit of a local lab, MiB.
    """
    return min(local, demo_limits().upload // MIB) if is_demo() else local


def where_files_stay() -> str:
    """Return one sentence on where an uploaded file goes."""
    if is_demo():
        return "The file is stored by the demo, for this browser alone."
    return "The file stays on this machine."


def draw_uploads_off(what: str) -> None:
    """Say that the demo takes no files, and how to use one nevertheless.

    Args:
        what: The file, such as "a CSV".
    """
    st.markdown(
        f":material/block: This demo takes no files. To use {what}, run the lab on "
        "your own computer: there, the file stays on your machine."
    )
    demo_notice.draw_local_commands()
