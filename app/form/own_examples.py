"""Upload dialogs for the user's own data: a table, or an archive of images.

A file is stored under its sha256, by which runs refer to it.
"""

import streamlit as st

from app import session
from app.client import own_files
from app.form import own_architectures, own_tables, uploads
from app.widgets import tables
from app.widgets.escaping import escape_markdown
from engine.contract.cards import Card
from engine.contract.errors import Refused


def draw_file_button(card: Card) -> None:
    """Draw the button that opens the upload dialog, for a family that needs a file."""
    place = f"k.family.{card.name}"
    noun = "archive" if card.traits.get("file") == "zip" else "CSV"
    digest = st.session_state.get(f"{place}.digest", "")
    if digest:
        _draw_file(digest, st.session_state.get(f"{place}.target", ""))
    if st.button(
        f"Choose another {noun}"
        if digest
        else f"Choose a {noun}".replace("a a", "an a"),
        icon=":material/upload_file:",
        key="own_open",
        width="stretch",
    ):
        dialog = _DIALOGS.get(str(card.traits.get("file")), own_tables.table_dialog)
        dialog(place, frozenset(knob.name for knob in card.knobs))


def _draw_file(digest: str, target: str) -> None:
    """Draw the name of the chosen file, and what was kept of it."""
    name, summary = own_files.describe_file(digest)
    told = [escape_markdown(name) if name else f"File `{digest[:12]}`"]
    told += [f"target {escape_markdown(target)}"] if target else []
    told += [summary] if summary else []
    st.caption(", ".join(told) + ".")


@st.dialog("Your own images", width="large")
def _images_dialog(place: str, knobs: frozenset[str]) -> None:
    """Take an archive, show its classes, store it."""
    given = uploads.draw_uploader(
        "an archive of images",
        "A ZIP archive with one folder of images per class",
        ["zip"],
        "own_archive",
        _explain_images,
    )
    if given is None:
        return
    from engine.data.user.image_preparation import ImageChoices
    from engine.data.user.task_sizes import explain_episodes

    left, right = st.columns(2)
    leave = left.toggle("Leave out damaged images and small classes", key="own_leave")
    copies = right.toggle("Leave out near copies", key="own_copies")
    try:
        ready = own_files.prepare_images(given.getvalue(), ImageChoices(leave, copies))
    except Refused as refusal:
        uploads.draw_refusal(refusal.message)
        return
    st.markdown(f"**Kept:** {ready.summary}")
    rows = own_files.image_rows(ready.archive)
    columns = {"Class": [r[0] for r in rows], "Images": [r[1] for r in rows]}
    if ready.archive.pools:
        columns["Pool"] = [r[2] for r in rows]
    tables.draw_table(columns, height=240, alt="Number of images by class")
    fields = own_files.image_fields(ready.archive)
    st.caption(f"{explain_episodes(fields).capitalize()}.")
    uploads.draw_remarks(ready.remarks)
    if st.button("Use this archive", type="primary", key="own_use"):
        chosen = fields | {"digest": own_files.store_images(ready, given.name)}
        session.set_fields_later(
            {f"{place}.{name}": chosen[name] for name in chosen if name in knobs}
        )
        st.rerun()


def _explain_images() -> None:
    st.caption(
        f"{uploads.where_files_stay()} Images are converted to grayscale and resized; "
        "duplicates within a class are dropped."
    )


# By the kind of file that a family needs; a CSV is the default.
_DIALOGS = {
    "zip": _images_dialog,
    "architectures": own_architectures.architectures_dialog,
}
