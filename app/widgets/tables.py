"""Tables and their CSV, with user text escaped against Markdown and formulas."""

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from app.widgets.escaping import escape_markdown

if TYPE_CHECKING:
    import pandas as pd

_NUMBER = re.compile(r"-\d+(\.\d*)?([eE][-+]?\d+)?")


class EscapedTable(NamedTuple):
    """A table whose cells are escaped, which takes longer than to draw it."""

    frame: "pd.DataFrame"


def escape_table(rows: Any) -> EscapedTable:
    """Return rows as a table that can be kept and drawn often.

    Args:
        rows: A frame, or what a frame is made of.
    """
    import pandas as pd  # here and below, so that pages start without it

    return EscapedTable(escape_formulas(pd.DataFrame(rows)))


def draw_table(rows: Any, **options: Any) -> Any:
    """Draw a table; its toolbar exports what it shows as CSV.

    Args:
        rows: A frame, what a frame is made of, or an escaped table.
        options: Passed on to `st.dataframe`.

    Returns:
        What `st.dataframe` returns, such as the selection.
    """
    table = rows if isinstance(rows, EscapedTable) else escape_table(rows)
    return st.dataframe(table.frame, hide_index=True, **options)


def draw_static_table(rows: Any, **options: Any) -> None:
    """Draw a table without a toolbar, every cell in full.

    Args:
        rows: A frame of texts, or what one is made of.
        options: Passed on to `st.table`.
    """
    import pandas as pd

    st.table(pd.DataFrame(rows).map(escape_markdown), hide_index=True, **options)


def csv_bytes(rows: "pd.DataFrame") -> bytes:
    """Return a frame as the bytes of a CSV."""
    return escape_formulas(rows).to_csv(index=False).encode()


def escape_formulas(rows: "pd.DataFrame") -> "pd.DataFrame":
    """Prefix cells and headers that a spreadsheet would run as formulas.

    >>> import pandas as pd
    >>> escape_formulas(pd.DataFrame({"+a": ["=1+1", "-0.5", "sgd"]})).to_dict("list")
    {"'+a": ["'=1+1", '-0.5', 'sgd']}
    """
    import pandas as pd

    made = rows.rename(columns=_escape_cell)
    for place, kind in enumerate(made.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            # By position, since headers may repeat.
            cells = made.iloc[:, place].astype(object).map(_escape_cell)
            made.isetitem(place, cells)
    return made


def _escape_cell(cell: object) -> object:
    # A negative number is not a formula.
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell):
        return cell
    from engine.export.long_format import escape_formula

    # The csv writer does not quote a lone carriage return, which would start a row.
    return escape_formula(cell.replace("\r\n", "\n").replace("\r", "\n"))
