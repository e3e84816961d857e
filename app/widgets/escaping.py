"""Escapes user text, so that it is shown literally, not as Markdown or HTML."""

import html
import re

_JOINER = "\N{WORD JOINER}"
# Streamlit turns addresses into links even where every character is escaped.
_ADDRESS = re.compile(r"(?=://)|(?<=www)(?=\.)|(?<=[\w.+-])(?=@[\w-]+\.)", re.I)
_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!~|<>$:&^=])")


def escape_markdown(text: object) -> str:
    r"""Return text that Streamlit's Markdown shows literally, addresses unlinked.

    >>> escape_markdown("a_b [x](javascript:1)")
    'a\\_b \\[x\\]\\(javascript\\:1\\)'
    """
    flat = re.sub(r"\s+", " ", str(text))
    return _MARKS.sub(r"\\\1", _ADDRESS.sub(_JOINER, flat))


def escape_html(text: object) -> str:
    """Return text that HTML, and Plotly's subset of it, show literally.

    >>> escape_html("<b>x</b>")
    '&lt;b&gt;x&lt;/b&gt;'
    """
    return html.escape(str(text), quote=True)
