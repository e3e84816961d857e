"""What the user has changed in the form since it was filled, and the way back."""

from typing import Any

import streamlit as st

from app import session
from app.client import client
from app.experiment import fields, form_differences, form_words
from app.experiment.form_differences import Difference
from app.experiment.spec_mapping import Form
from app.widgets.escaping import escape_markdown

SHOWN = 12  # changes with a button of their own


def mark_label(label: str, key: str) -> str:
    """Return a field's label, marked if its value was changed; a list says to what.

    Args:
        label: The label.
        key: The field's key.
    """
    return f"{label} •" if _is_changed(key) else label


def describe_start(key: str) -> str:
    """Return what a changed field held when the form was filled; else nothing."""
    if not _is_changed(key):
        return ""
    return f"It was {form_words.value_in_words(session.start_form()[key])}."


def _is_changed(key: str) -> bool:
    start = session.start_form()
    return key in start and not form_differences.is_same(
        st.session_state.get(key, start[key]), start[key]
    )


def list_changes(form: Form) -> list[Difference]:
    """Return the fields of a form that differ from what it was filled with."""
    start = session.start_form()
    if not start:
        return []
    return form_differences.form_differences(form, start, client.catalogue().card)


def draw_summary(form: Form) -> None:
    """Draw, where anything was changed, what it was and a button to undo it all.

    Args:
        form: The form's fields.
    """
    made = list_changes(form)
    if not made:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        names = form_differences.list_labels(made)
        st.caption(f"Changed: {escape_markdown(names)}", width="stretch")
        st.button(
            "Reset",
            key="reset_form",
            type="tertiary",
            icon=":material/undo:",
            on_click=session.reset_form,
            help=f"Back to {escape_markdown(session.start_title())}.",
        )


def draw_list() -> None:
    """Draw each change with a button that takes it back, and one for all of them."""
    made = list_changes(session.form_values())
    title = escape_markdown(session.start_title())
    if not made:
        st.caption(f"As in {title}. What you change is marked here, with a way back.")
        return
    st.caption(
        f"Changed from {title}, and marked • below; press a change to take it back:"
    )
    with st.container(horizontal=True, gap="small"):
        for each in made[:SHOWN]:
            st.button(
                escape_markdown(f"{each.label}: {_shorten(each)}"),
                key=f"undo.{each.key}",
                icon=":material/undo:",
                on_click=_undo,
                args=(each.key,),
            )
        st.button(
            "Reset all",
            key="reset_all",
            type="tertiary",
            on_click=session.reset_form,
        )


def _shorten(change: Difference) -> str:
    before, now = (_cut(text) for text in (change.before, change.now))
    return f"{before} → {now}"


def _cut(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:23]}…"


def _undo(key: str) -> None:
    before: Any = session.start_form()[key]
    st.session_state[key] = fields.copy_value(before)
