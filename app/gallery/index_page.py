"""The first page of a gallery: all runs with picture, call and kind, and a search."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.figures.call_style import CALL_STYLES
from app.gallery.run_page import Addresses, Entry
from app.report import document
from app.report.preview_tags import Preview, preview_tags
from app.widgets.escaping import escape_html
from engine.stats.verdicts.wording import format_count

_HERE = Path(__file__).parent


def make_index(
    entries: Sequence[Entry],
    pictures: Mapping[str, str],
    title: str,
    where: Addresses,
) -> bytes:
    """Return the first page.

    Args:
        entries: The runs, in their order; at least one.
        pictures: Small pictures as HTML, by run key.
        title: What the gallery is called, plain text.
        where: Addresses of the gallery and of a lab.
    """
    count = format_count(len(entries), "run")
    about = f"{count} of Metascope, a lab for meta-learning, each with its call."
    preview = Preview(title, about, f"{where.site}{entries[0].picture}", where.site)
    cards = "".join(_card(entry, pictures[entry.key]) for entry in entries)
    body = (
        '<header><p class="eyebrow">Metascope · gallery</p>'
        f"<h1>{escape_html(title)}</h1>"
        "<p>Each page shows a run with its call, films, charts, tables and settings. "
        "Nothing is fetched from elsewhere.</p></header>"
        f'{_search(count)}<ul class="cards">{cards}</ul>'
    )
    return document.write_document(
        document.Document(
            title,
            body,
            head=preview_tags(preview),
            style=(_HERE / "gallery.css").read_text(encoding="utf-8"),
            scripts=((_HERE / "search.js").read_text(encoding="utf-8"),),
        )
    )


def _search(count: str) -> str:
    # Without scripts there is nothing to search with, so the script shows it.
    return (
        '<div class="search" role="search" hidden><label for="find">Search</label>'
        '<input type="search" id="find" autocomplete="off">'
        f'<output for="find" role="status">{count}</output></div>'
    )


def _card(entry: Entry, picture: str) -> str:
    style = CALL_STYLES.get(entry.call)  # type: ignore[call-overload]
    sign = f"{style.sign} {entry.call}" if style else ""
    call = f'<span class="chip">{escape_html(sign)}</span> ' if sign else ""
    said = f'<p class="said">{call}{escape_html(entry.headline)}</p>'
    return (
        f'<li class="card">{picture}<p class="eyebrow">{escape_html(entry.kind)}</p>'
        f'<h2><a href="{entry.page}">{escape_html(entry.title)}</a></h2>{said}</li>'
    )
