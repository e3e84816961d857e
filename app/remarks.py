"""What could not be tested, and why: never a gap without a word."""

from collections.abc import Iterator, Mapping

import streamlit as st

from app.door import Run
from app.figures.theme import nice
from app.plain import plain

SHOWN = 3
_SHIFT = "shift:"


def told(run: Run, titles: Mapping[str, str]) -> None:
    """Draw what is not applicable, the first few at once."""
    lines = list(lines_of(run, titles))
    for line in lines[:SHOWN]:
        st.caption(plain(line))
    if lines[SHOWN:]:
        with st.expander(f"{len(lines) - SHOWN} more are not applicable"):
            for line in lines[SHOWN:]:
                st.caption(plain(line))


def lines_of(run: Run, titles: Mapping[str, str]) -> Iterator[str]:
    """Yield one sentence for each pair that was left out; one reason once."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, entries in run.remarks.items():
        where = name.removeprefix("remarks").strip()
        for who, why in entries.items():
            if who.startswith(_SHIFT):
                at = _place(who.removeprefix(_SHIFT), titles)
                reasons.setdefault((at, why), [])
            else:
                reasons.setdefault((nice(who), why), []).append(_place(where, titles))
    for (who, why), places in reasons.items():
        under = f" under {', '.join(places)}" if any(places) else ""
        yield f"Not applicable: {who}{under}: {why}."


def _place(name: str, titles: Mapping[str, str]) -> str:
    """Return a shift with its severity, or a family, by its title."""
    if name == "in place":
        return ""
    part, _, severity = name.partition(" ")
    title = titles.get(part, part.replace("_", " "))
    return f"{title} {severity}".strip()
