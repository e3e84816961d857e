"""Lists what could not be tested, and why, so that no gap goes unexplained."""

from collections.abc import Iterator, Mapping

import streamlit as st

from app.client.client import Run
from app.figures.theme import learner_name
from app.widgets.escaping import escape_markdown
from engine.contract.events import UNSHIFTED_TITLE
from engine.contract.learner_appearance import name_in_words

_SHIFT, _COMPILE = "shift:", "compile:"


def draw_not_applicable(run: Run, titles: Mapping[str, str]) -> None:
    """Draw what is not applicable: one line, or several in an expander."""
    lines = list(not_applicable_lines(run, titles))
    if len(lines) == 1:
        st.caption(escape_markdown(f"Not applicable: {lines[0]}"))
    elif lines:
        with st.expander(f"{len(lines)} not applicable: reasons", key="x.remarks"):
            for line in lines:
                st.caption(escape_markdown(line))


def not_applicable_lines(run: Run, titles: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence per condition and reason: which learners were not tested."""
    left_out: dict[tuple[str, str], list[str]] = {}
    for name, entries in run.remarks.items():
        where = _place_title(name.removeprefix("remarks").strip(), titles)
        for who, why in entries.items():
            # A label may start with this prefix, too: the artefact's name decides.
            if name == "remarks" and who.startswith(_SHIFT):
                at = _place_title(who.removeprefix(_SHIFT), titles)
                left_out.setdefault((at, why), [])
            elif name == f"remarks compile {who.removeprefix(_COMPILE)}":
                label = learner_name(who.removeprefix(_COMPILE))
                left_out.setdefault(("", why), []).append(f"compiling {label}")
            else:
                left_out.setdefault((where, why), []).append(learner_name(who))
    for (where, why), labels in left_out.items():
        who = ", ".join(labels)
        yield f"{' under '.join(part for part in (who, where) if part)}: {why}."


def _place_title(name: str, titles: Mapping[str, str]) -> str:
    """Return a shift with its severity, or a family, by its title."""
    if name == UNSHIFTED_TITLE:
        return ""
    part, _, severity = name.partition(" ")
    title = titles.get(part, name_in_words(part))
    return f"{title} {severity}".strip()
