"""Escapes text, so that it is shown literally, not as Markdown or HTML."""

import html
import re

_JOINER = "\N{WORD JOINER}"
# Streamlit turns addresses into links even where every character is escaped.
_ADDRESS = re.compile(r"(?=://)|(?<=www)(?=\.)|(?<=[\w.+-])(?=@[\w-]+\.)", re.I)
_INDEX = re.compile(r"_(?:\{([^{}]*)\}|([^\W_]+))")
_EXPONENT = re.compile(r"\^(?:\(((?:[^()]|\([^()]*\))*)\)|([−±∓]?[^\W_]+))")
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


def equation_html(equation: str) -> str:
    """Return a card's equation as HTML, its subscripts and superscripts set as such.

    An index is a word or stands in braces, an exponent is a word or stands in
    parentheses, which are not shown.

    Args:
        equation: As in the docstring, such as "φ_{i+1} = φ_i − α ∇L_S(φ_i)".

    >>> equation_html("φ_{i+1} = φ_i − 2^−s")
    'φ<sub>i+1</sub> = φ<sub>i</sub> − 2<sup>−s</sup>'
    >>> equation_html("p_k 2^(−s k/(K − 1)) < 1")
    'p<sub>k</sub> 2<sup>−s k/(K − 1)</sup> &lt; 1'
    """
    low = _INDEX.sub(r"<sub>\1\2</sub>", escape_html(equation))
    return _EXPONENT.sub(r"<sup>\1\2</sup>", low)
