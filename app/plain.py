"""What a person typed is shown as it was typed, never as Markdown or HTML."""

import html
import re

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!~|<>$:&^=])")


def plain(text: object) -> str:
    r"""Return text that Streamlit's Markdown shows literally.

    >>> plain("a_b [x](javascript:1)")
    'a\\_b \\[x\\]\\(javascript\\:1\\)'
    """
    flat = re.sub(r"\s+", " ", str(text))
    return _MARKS.sub(r"\\\1", flat)


def inert(text: object) -> str:
    """Return text that HTML, and Plotly's own little HTML, show literally.

    >>> inert("<b>x</b>")
    '&lt;b&gt;x&lt;/b&gt;'
    """
    return html.escape(str(text), quote=True)
