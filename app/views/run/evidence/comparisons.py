"""Every comparison of a run: a table of rivals, chips of conditions, and notes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import streamlit as st

from app.client.client import Run
from app.figures.call_style import CALL_STYLES
from app.results.call_lines import headline_and_notes
from app.widgets.escaping import escape_html
from engine.contract.learner_appearance import name_in_words
from engine.stats.block_table import IN_DISTRIBUTION
from engine.stats.family_names import family_title
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.claim_words import (
    format_difference,
    format_percent,
    format_sample,
    has_interval,
)
from engine.stats.verdicts.wording import capitalize_first, learner_names, name_of

PRIMARY = ' <span class="primary" title="fixed before the run">primary</span>'


def draw_comparisons(run: Run, titles: Mapping[str, str]) -> None:
    """Draw every comparison of a finished run with its numbers, and the notes.

    Args:
        run: A run with a summary.
        titles: Titles of parts, by name.
    """
    names = learner_names(run.spec, titles)
    deciding = run.table.criterion.deciding
    claims = [c for c in run.claims if c.metric == deciding]
    parts = [
        make_table(run, claims, names),
        make_chips(run, claims, names),
        make_notes(headline_and_notes(run, titles)[1]),
    ]
    if said := "".join(parts):  # a run without baselines has none; st.html takes no ""
        st.html(said)


def make_table(run: Run, claims: Iterable[Claim], names: Mapping[str, str]) -> str:
    """Return the comparisons in distribution as an HTML table; empty without any."""
    rows = [claim for claim in claims if claim.condition == IN_DISTRIBUTION]
    # The primary question first, then each learner's main rival.
    rows.sort(key=lambda claim: (not claim.primary, not claim.decisive))
    if not rows:
        return ""
    head = ["Learner", "Call", "Against", f"Difference in {_metric_title(run)}", "n"]
    body = [_table_row(run, claim, names) for claim in rows]
    if any(lost for claim in rows for lost in claim.diverged):
        head.append("Diverged (learner : other)")
        body = [
            [*cells, _count_diverged(claim)]
            for cells, claim in zip(body, rows, strict=True)
        ]
    heads = "".join(f'<th scope="col">{escape_html(text)}</th>' for text in head)
    lines = "".join(f"<tr>{''.join(map(_cell, cells))}</tr>" for cells in body)
    return (
        f'<div class="verdict-table"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _metric_title(run: Run) -> str:
    rule = run.table.criterion
    return f"{rule.called} ({'more' if rule.share else 'less'} is better)"


def _table_row(run: Run, claim: Claim, names: Mapping[str, str]) -> list[str]:
    """Return the cells of a row as HTML."""
    mark = PRIMARY if claim.primary else ""
    return [
        f"{escape_html(capitalize_first(name_of(names, claim.learner)))}{mark}",
        _chip(claim, ""),
        escape_html(name_of(names, claim.against)),
        _difference(run, claim, " <small>at {}</small>"),
        escape_html(format_sample(claim, run.kind.words.tests)),
    ]


def _difference(run: Run, claim: Claim, at_level: str) -> str:
    """Return a difference as HTML, with the level of its interval where it has one."""
    text = escape_html(format_difference(claim, run.table.criterion))
    level = at_level.format(format_percent(claim.level))
    return f"{text}{level}" if has_interval(claim) else text


def _count_diverged(claim: Claim) -> str:
    mine, other = claim.diverged
    return f"{mine:,} : {other:,}"


def _cell(html: str) -> str:
    return f"<td>{html}</td>"


class Place(NamedTuple):
    """A shift, or all other families, where one learner meets its main rival."""

    learner: str
    against: str
    shift: str


def make_chips(run: Run, claims: Sequence[Claim], names: Mapping[str, str]) -> str:
    """Return a line of chips for each shift, and one for the other families."""
    lines: dict[Place, list[Claim]] = {}
    for claim in claims:
        if claim.decisive and claim.condition != IN_DISTRIBUTION:
            place = Place(claim.learner, claim.against, claim.condition.shift)
            lines.setdefault(place, []).append(claim)
    several = len({place.learner for place in lines}) > 1
    return "".join(
        f'<p class="chips"><b>{escape_html(_title(place, names, several))}</b> '
        f"<small>n = {_count_units(group)}</small> "
        f"{' '.join(_condition_chips(run, group))}</p>"
        for place, group in lines.items()
    )


def _title(place: Place, names: Mapping[str, str], several: bool) -> str:
    where = capitalize_first(name_in_words(place.shift) or "other families")
    learner = f": {name_of(names, place.learner)}" if several else ","
    return f"{where}{learner} against {name_of(names, place.against)}"


def _count_units(claims: Iterable[Claim]) -> str:
    """Return how many independent units a line's claims rest on."""
    found = {
        claim.n_replicates * (1 if claim.over == "replicates" else claim.n_tasks)
        for claim in claims
    }
    return "–".join(f"{n:,}" for n in sorted({min(found), max(found)}))


def _condition_chips(run: Run, claims: Iterable[Claim]) -> Iterator[str]:
    for claim in claims:
        at = claim.condition
        name = f"{at.severity:g}" if at.shift else family_title(run.spec, at.family)
        yield _chip(claim, name, _difference(run, claim, " at {}"))


def _chip(claim: Claim, name: str, hover: str = "") -> str:
    """Return a call as a chip: its sign and its word, after a condition's name.

    Args:
        claim: The claim.
        name: The condition's name as text.
        hover: Shown on hovering, as HTML.
    """
    style = CALL_STYLES[claim.call]
    lost = ""
    if name and any(claim.diverged):
        lost = f" · {_count_diverged(claim)} diverged"
    said = f"{f'{name} ' if name else ''}{style.sign} {claim.call}{lost}"
    return (
        f'<span class="chip chip-{style.css}" title="{hover}">'
        f"{escape_html(said)}</span>"
    )


def make_notes(notes: Iterable[str]) -> str:
    """Return the notes as a list of small lines."""
    lines = "".join(f"<li>{escape_html(note)}</li>" for note in notes)
    return f'<ul class="verdict-notes">{lines}</ul>' if lines else ""
