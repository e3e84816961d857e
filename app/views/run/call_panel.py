"""The top of a finished run: its title is above, the call and three lines here."""

from collections.abc import Iterable, Mapping

import streamlit as st

from app.client.client import Run
from app.figures.call_style import CALL_STYLES
from app.results.call_lines import call_lines, headline_and_notes
from app.widgets.escaping import escape_html
from engine.stats.learner_claims import primary_claim


def draw_call(run: Run, titles: Mapping[str, str]) -> None:
    """Draw the headline with the sign of its call, and the lines below it.

    Args:
        run: A run with a summary.
        titles: Titles of parts, by name.
    """
    headline, _ = headline_and_notes(run, titles)
    st.html(
        f'<p class="verdict-line">{make_sign(run)}{escape_html(headline)}</p>'
        f"{make_lines(call_lines(run, titles))}"
    )


def make_sign(run: Run) -> str:
    """Return the sign of the primary call as HTML; the words beside it say the same."""
    claim = primary_claim(run.claims)
    if claim is None:
        return ""
    style = CALL_STYLES[claim.call]
    return f'<span class="sign chip-{style.css}" aria-hidden="true">{style.sign}</span>'


def make_lines(lines: Iterable[str]) -> str:
    """Return short lines as an HTML list."""
    items = "".join(f"<li>{escape_html(line)}</li>" for line in lines)
    return f'<ul class="call-lines">{items}</ul>' if items else ""
