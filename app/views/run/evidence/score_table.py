"""The table of scores: the summary's numbers, condition by condition."""

from collections.abc import Mapping

import streamlit as st

from app.client.client import Run
from app.results.score_rows import constant_spread_notes, score_rows
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown


def draw_score_table(run: Run, titles: Mapping[str, str]) -> None:
    """Draw the summary's numbers, condition by condition."""
    rows = score_rows(run, dict(titles))
    if not rows:
        page_elements.draw_empty("No numbers yet", "They come with the first test.")
        return
    notes = map(escape_markdown, constant_spread_notes(run))
    st.caption(" ".join([run.kind.words.intervals, *notes]))
    tables.draw_table(
        rows,
        height="content" if len(rows) < 12 else 440,
        alt="Final, best and area scores by condition and learner",
    )
