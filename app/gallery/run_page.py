"""The page of a run in a gallery: its report, ways to recompute it, and a preview."""

from collections.abc import Mapping
from typing import NamedTuple

from app import share_links
from app.client.client import Run
from app.gallery.folder import INDEX
from app.report import document, embedded_data, html_parts
from app.report.page import ReportParts
from app.report.preview_tags import Preview, preview_tags
from app.results.call_lines import headline_and_notes
from app.widgets.escaping import escape_html
from engine.stats.learner_claims import primary_claim

LOCAL = "http://localhost:8501/lab"  # where `make run` serves the Lab
Titles = Mapping[str, str]


class Addresses(NamedTuple):
    """Where a gallery and a lab are on the web; empty where they are not.

    Args:
        site: The gallery's folder, with a slash at its end.
        lab: The page Lab of a hosted lab.
    """

    site: str = ""
    lab: str = ""


class Entry(NamedTuple):
    """A run in a gallery; texts are plain.

    Args:
        key: Its key.
        title: Its title.
        kind: Its kind of task.
        call: The call of its primary question; empty where it makes none.
        headline: The call in one sentence; empty without a summary.
        picture: The file of its picture for previews.
    """

    key: str
    title: str
    kind: str
    call: str
    headline: str
    picture: str

    @property
    def page(self) -> str:
        """Return the file of its page; the same whatever its title."""
        return f"{self.key[:12]}.html"


def describe_run(run: Run, title: str, picture: str, titles: Titles) -> Entry:
    """Return what lists and previews say of a run.

    Args:
        run: A run with results.
        title: Its title.
        picture: The file of its picture for previews.
        titles: Titles of parts, by name.
    """
    primary = primary_claim(run.claims)
    headline = headline_and_notes(run, titles)[0] if run.summary is not None else ""
    call = primary.call if primary is not None else ""
    return Entry(run.key, title, run.kind.title, call, headline, picture)


def make_run_page(
    run: Run, parts: ReportParts, entry: Entry, library: str, where: Addresses
) -> bytes:
    """Return the page of a run.

    Args:
        run: The run.
        parts: What its report is made of.
        entry: What its preview says.
        library: The file of the chart library beside it.
        where: Addresses of the gallery and of a lab.
    """
    figures = embedded_data.packed_figures(parts.drawn)
    page = document.Document(
        parts.title,
        f"{_navigation(run, where)}{parts.body}{_open_locally(run)}",
        head=_preview(entry, where),
        style=_STYLE,
        data=document.data_element("figures", figures)
        + f'<script src="{library}"></script>',
        scripts=(document.report_script(),),
        reads_beside=True,
    )
    return document.write_document(page)


_STYLE = """
.gallery-nav { display: flex; flex-wrap: wrap; gap: 0.4rem 1.6rem; padding-top: 1rem; }
a { color: var(--accent); }
pre { white-space: pre-wrap; overflow-wrap: anywhere; }
@media print { .gallery-nav { display: none; } }
"""


def _preview(entry: Entry, where: Addresses) -> str:
    return preview_tags(
        Preview(
            entry.title,
            entry.headline or f"A run of Metascope: {entry.kind}.",
            f"{where.site}{entry.picture}",
            f"{where.site}{entry.page}" if where.site else "",
            is_article=True,
        )
    )


def _navigation(run: Run, where: Addresses) -> str:
    links = {"← All runs": INDEX}
    if where.lab:
        again = share_links.share_link(where.lab, run.spec, run.key)
        links["Recompute this in the lab"] = again
    made = (f'<a href="{escape_html(to)}">{word}</a>' for word, to in links.items())
    return f'<nav class="gallery-nav" aria-label="Gallery">{"".join(made)}</nav>'


def _open_locally(run: Run) -> str:
    """Return the two commands that open a run's experiment in one's own lab."""
    address = share_links.share_link(LOCAL, run.spec, run.key)
    return html_parts.make_section(
        "Open it in your own lab",
        "<p>In the folder of Metascope. The first command installs and starts it; the "
        "second, in another terminal, opens this experiment, and starts nothing.</p>",
        html_parts.make_code(f'make run\npython3 -m webbrowser "{address}"'),
    )
