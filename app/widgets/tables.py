"""Tables: what a person typed stays text in their cells and in the CSV made of them."""

import re
from typing import Any

import pandas as pd
import streamlit as st

from app.widgets.escaping import escape_markdown
from engine.export.long_format import escape_formula

_NUMBER = re.compile(r"-\d+(\.\d*)?([eE][-+]?\d+)?")


def draw_table(rows: Any, **options: Any) -> Any:
    """Draw a table; its own toolbar saves a CSV of what it shows.

    Args:
        rows: A frame, or what a frame is made of.
        options: Passed on to `st.dataframe`.

    Returns:
        What `st.dataframe` returns, such as the selection.
    """
    return st.dataframe(escape_formulas(pd.DataFrame(rows)), hide_index=True, **options)


def draw_static_table(rows: Any, **options: Any) -> None:
    """Draw a table without a toolbar, every cell in full.

    Args:
        rows: A frame of texts, or what one is made of.
        options: Passed on to `st.table`.
    """
    st.table(pd.DataFrame(rows).map(escape_markdown), hide_index=True, **options)


def csv_bytes(rows: pd.DataFrame) -> bytes:
    """Return a frame as the bytes of a CSV."""
    return escape_formulas(rows).to_csv(index=False).encode()


def escape_formulas(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of which a spreadsheet runs nothing: no cell and no header.

    >>> escape_formulas(pd.DataFrame({"+a": ["=1+1", "-0.5", "sgd"]})).to_dict("list")
    {"'+a": ["'=1+1", '-0.5', 'sgd']}
    """
    made = rows.rename(columns=_escape_cell)
    for place, kind in enumerate(made.dtypes):
        if not pd.api.types.is_numeric_dtype(kind):
            # By position: two headers of a file may be the same.
            cells = made.iloc[:, place].astype(object).map(_escape_cell)
            made.isetitem(place, cells)
    return made


def _escape_cell(cell: object) -> object:
    # A negative number is no formula: it is what it says.
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell):
        return cell
    # A lone carriage return is not quoted, and what follows it would be a row.
    return escape_formula(cell.replace("\r\n", "\n").replace("\r", "\n"))
