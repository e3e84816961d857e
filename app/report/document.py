"""An HTML file of ours: its head, its policy, its style and its scripts."""

import datetime
from pathlib import Path
from typing import NamedTuple

from app.report import embedded_data
from app.widgets.escaping import escape_html

_HERE = Path(__file__).parent


class Document(NamedTuple):
    """An HTML file.

    Args:
        title: Its title, plain text.
        body: What stands in its main part, as HTML.
        head: What stands in its head besides title and style, as HTML.
        style: CSS besides that of reports.
        data: Packed data, as HTML.
        scripts: Scripts that it holds, as text.
        allowed: Names of further scripts that may run, as in a policy.
        reads_beside: Whether it loads scripts and pictures from its own folder.
    """

    title: str
    body: str
    head: str = ""
    style: str = ""
    data: str = ""
    scripts: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    reads_beside: bool = False


def write_document(document: Document) -> bytes:
    """Return an HTML file as UTF-8; nothing but what it names ever runs or is read."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    scripts = "".join(f"<script>{script}</script>" for script in document.scripts)
    return "".join(
        (
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy(document)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape_html(document.title)}</title>{document.head}",
            f"<style>{report_style()}{document.style}</style>",
            f"</head><body><main>{document.body}</main>",
            f"<footer>Made with Metascope on {day}.</footer>",
            f"{document.data}{scripts}</body></html>\n",
        )
    ).encode()


def policy(document: Document) -> str:
    """Return the content security policy of a file.

    Args:
        document: The file; of scripts, only those that it names run.
    """
    # On a disk, a browser does not count the files beside a page as its own.
    beside = ("'self'", "file:") if document.reads_beside else ()
    own = [embedded_data.hash_script(text.encode()) for text in document.scripts]
    scripts = " ".join((*beside, *own, *document.allowed))
    images = " ".join((*beside, "data:", "blob:"))
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; "
        f"img-src {images}"
    )


def report_style() -> str:
    """Return the style that all of our files share."""
    return (_HERE / "report.css").read_text(encoding="utf-8")


def report_script() -> str:
    """Return the script that draws a file's figures."""
    return (_HERE / "report.js").read_text(encoding="utf-8")


def data_element(name: str, packed: str) -> str:
    """Return packed data as an element that a script finds by name."""
    return f'<script type="application/gzip" id="{name}">{packed}</script>'
