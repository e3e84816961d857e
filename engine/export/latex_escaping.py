"""Escaping text for LaTeX, and joining the cells of a table's row."""

_SPECIAL = {
    **{
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
    },
    **{char: f"\\{char}" for char in "&%$#_{}"},
    **{"×": r"$\times$", "−": "$-$", "±": r"$\pm$"},
}


def escape_latex(text: str) -> str:
    r"""Return text with LaTeX's special characters escaped.

    >>> escape_latex("a_b & 50 %")
    'a\\_b \\& 50 \\%'
    """
    return "".join(_SPECIAL.get(char, char) for char in text)


def latex_row(*cells: str) -> str:
    """Return one row of a LaTeX table; the cells must be escaped."""
    return " & ".join(cells) + r" \\"
