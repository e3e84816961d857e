"""The first page: one sentence of purpose, and a card per kind of question."""

import streamlit as st

from app import session
from engine.contract import kinds


def draw_start() -> None:
    """Draw the page."""
    st.title("See when learning to learn pays off", anchor=False)
    st.markdown(
        "Run a meta-learning method beside well-tuned plain training, on the same "
        "tasks with the same budget, and get an honest answer, intervals included."
    )
    columns = st.columns(2, gap="medium")
    for place, kind in enumerate(kinds.KINDS.values()):
        with columns[place % 2], st.container(border=True, key=f"kind.{kind.name}"):
            _draw_kind(kind)


def _draw_kind(kind: kinds.Kind) -> None:
    st.markdown(f"**{kind.title}**")
    if st.button("Open in the Lab", key=f"open.{kind.name}", type="tertiary"):
        session.choose_kind(kind.name)
        session.open_lab()
