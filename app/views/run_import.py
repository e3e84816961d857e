"""The import of an exported run, wherever a page offers it."""

import streamlit as st

from app.client import files
from app.form import uploads
from app.widgets import page_elements
from engine.contract.errors import Refused
from engine.contract.jobs import Job

MEGABYTES = 100


def import_chosen_archive(name: str) -> Job | None:
    """Draw the choice of an archive, where files are taken; return the imported run.

    Args:
        name: Name of the place, part of the widgets' keys.
    """
    given = st.file_uploader(
        "An exported run (.zip)",
        type="zip",
        key=f"archive.{name}",
        max_upload_size=uploads.upload_megabytes(MEGABYTES),
        help="The archive that Export makes of a run, with all of its results.",
    )
    if given is None or not st.button(
        "Import the run", icon=":material/upload:", key=f"import.{name}"
    ):
        return None
    try:
        return files.import_run_archive(given.getvalue(), _show_note)
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return None


def _show_note(line: str) -> None:
    st.toast(f"{line[:1].upper()}{line[1:]}.", icon=":material/info:", duration="long")
