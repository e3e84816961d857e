"""Upload dialogs for the user's own data: a CSV, or an archive of images.

A file is stored under its sha256, by which runs refer to it.
"""

import streamlit as st

from app import session
from app.client import files
from app.form import own_architectures, uploads
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown
from engine.contract.cards import Card
from engine.contract.errors import Refused

MEGABYTES = 100


def draw_file_button(card: Card) -> None:
    """Draw the button that opens the upload dialog, for a family that needs a file."""
    place = f"k.family.{card.name}"
    noun = "archive" if card.traits.get("file") == "zip" else "CSV"
    digest = st.session_state.get(f"{place}.digest", "")
    if digest:
        target = st.session_state.get(f"{place}.target", "")
        st.caption(
            f"File `{digest[:12]}`"
            + (f", target {escape_markdown(target)}." if target else ".")
        )
    if st.button(
        f"Choose another {noun}"
        if digest
        else f"Choose a {noun}".replace("a a", "an a"),
        icon=":material/upload_file:",
        key="own_open",
        width="stretch",
    ):
        dialog = _DIALOGS.get(str(card.traits.get("file")), _csv_dialog)
        dialog(place, frozenset(knob.name for knob in card.knobs))


@st.dialog("Your own images", width="large")
def _images_dialog(place: str, knobs: frozenset[str]) -> None:
    """Take an archive, show its classes, store it."""
    if not (most := uploads.upload_megabytes(MEGABYTES)):
        uploads.draw_uploads_off("an archive of images")
        return
    given = st.file_uploader(
        "A ZIP archive with one folder of images per class",
        type="zip",
        key="own_archive",
        max_upload_size=most,
    )
    if given is None:
        st.caption(
            f"{uploads.where_files_stay()} Images are converted to grayscale and "
            "resized; duplicates within a class are dropped."
        )
        return
    try:
        found = files.read_images(given.getvalue())
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return
    counts = found.counts().tolist()
    st.caption(f"{len(found.names):,} classes, {sum(counts):,} images")
    tables.draw_table(
        {"Class": list(found.names), "Images": counts},
        height=240,
        alt="Number of images by class",
    )
    for warning in found.warnings[:6]:
        st.warning(escape_markdown(f"{warning[:1].upper()}{warning[1:]}."))
    if st.button("Use this archive", type="primary", key="own_use"):
        chosen = {
            "digest": files.store_images(found),
            **files.fit_episode_sizes(counts),
        }
        session.set_fields_later(
            {f"{place}.{name}": chosen[name] for name in chosen if name in knobs}
        )
        st.rerun()


@st.dialog("Your own data", width="large")
def _csv_dialog(place: str, knobs: frozenset[str]) -> None:
    """Take a file, preview it, and let the user choose the target."""
    if not (most := uploads.upload_megabytes(MEGABYTES)):
        uploads.draw_uploads_off("a CSV")
        return
    given = st.file_uploader(
        "A CSV with a header: UTF-8, commas, decimal points",
        type="csv",
        key="own_file",
        max_upload_size=most,
    )
    if given is None:
        st.caption(
            f"{uploads.where_files_stay()} It is not modified; which rows and "
            "columns are dropped is a setting of the run."
        )
        return
    try:
        table = files.read_csv(given.getvalue())
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return
    _draw_preview(table)
    _draw_target_choice(table, place, knobs)


def _draw_preview(table: "files.CsvFile") -> None:
    st.caption(f"{table.rows:,} rows, {len(table.columns)} columns")
    import pandas as pd  # here, so that pages start without it

    names = [column.name for column in table.columns]
    tables.draw_table(
        pd.DataFrame(table.preview(5), columns=names),
        alt="The first rows of the file, as text",
    )
    rows = [
        {"Column": c.name, "Type": c.kind, "Empty": c.empty, "Remark": c.note}
        for c in table.columns
    ]
    tables.draw_table(rows, alt="Type and number of empty cells by column")
    for warning in table.warnings[:6]:
        st.warning(escape_markdown(f"{warning[:1].upper()}{warning[1:]}."))


def _draw_target_choice(
    table: "files.CsvFile", place: str, knobs: frozenset[str]
) -> None:
    names = [column.name for column in table.columns]
    left, right = st.columns(2)
    with left:
        target = st.selectbox(
            "Target column", names, index=len(names) - 1, key="own_target"
        )
        predict = "classes"
        if "predict" in knobs:
            predict = st.segmented_control(
                "Predict",
                ["classes", "value"],
                default="classes",
                key="own_predict",
                required=True,
            )
    with right:
        text = st.toggle("Drop non-numeric columns", key="own_text")
        empty = st.selectbox(
            "Rows with missing values",
            list(GAPS),
            format_func=GAPS.get,
            key="own_empty",
        )
        rare = st.toggle("Drop rare classes", key="own_rare")
    chosen: dict[str, object] = {
        "target": str(target),
        "predict": str(predict),
        "text": _drop_or_refuse(text),
        "empty": str(empty),
        "rare": _drop_or_refuse(rare),
    }
    try:
        files.check_target(table, chosen)
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return
    if st.button("Use this file", type="primary", key="own_use"):
        chosen["digest"] = files.store_csv(table)
        if "use" in knobs:
            chosen |= files.class_episode_sizes(table, chosen)
        session.set_fields_later(
            {f"{place}.{name}": chosen[name] for name in chosen if name in knobs}
        )
        st.rerun()


# What is done about empty cells, by the value of the family's knob.
GAPS = {
    "refuse": "Refuse the file",
    "drop": "Drop them",
    "mean": "Use the training mean",
}


def _drop_or_refuse(dropped: bool) -> str:
    return "drop" if dropped else "refuse"


# By the kind of file that a family needs; a CSV is the default.
_DIALOGS = {
    "zip": _images_dialog,
    "architectures": own_architectures.architectures_dialog,
}
