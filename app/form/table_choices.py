"""What the user chooses about an own table: its target, and how columns are used."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

if TYPE_CHECKING:
    from engine.data.user.table_plan import TableChoices
    from engine.data.user.table_reader import UserTable

PERIODS = ("year", "month", "day")
ORDERED = 20  # most values whose order is drawn in a line
# What is done about missing values, by the value of the family's knob.
GAPS = {
    "refuse": "Refuse the file",
    "drop": "Drop their rows",
    "mean": "Use the training mean",
}


def draw_choices(table: "UserTable", knobs: frozenset[str]) -> "TableChoices":
    """Draw the choices; each names columns of the file.

    Args:
        table: The file.
        knobs: The knobs of the family that it is for.
    """
    from engine.data.user.table_plan import TableChoices

    names = table.names
    left, right = st.columns(2)
    with left:
        target = st.selectbox(
            "Target column", names, index=len(names) - 1, key="own_target"
        )
        answers = "classes"
        if "predict" in knobs:
            answers = st.segmented_control(
                "Predict",
                ["classes", "value"],
                default="classes",
                key="own_predict",
                required=True,
            )
        join = st.toggle("Join classes that look alike", key="own_join")
        split = _draw_column("Split column", names, "own_split")
        shift = _draw_column("Shift column", names, "own_shift", "shift" in knobs)
        period = _draw_period(table, shift)
        train_on = _draw_group(table, shift, period) if shift else ""
        others = [name for name in names if name not in (target, split, shift)]
        ignore = _draw_several("Leave out", others, "own_ignore")
        keep = _draw_several("Use although it would be left out", others, "own_keep")
    with right:
        empty = st.selectbox(
            "Rows with missing values",
            list(GAPS),
            format_func=GAPS.__getitem__,
            key="own_empty",
        )
        text = st.toggle("Drop other columns that are not numbers", key="own_text")
        rare = st.toggle("Drop rare classes", key="own_rare")
        encodings = _draw_encodings(table, others)
    return TableChoices(
        target=str(target),
        answers=str(answers),
        text="drop" if text else "refuse",
        empty=str(empty),
        rare="drop" if rare else "refuse",
        join=join,
        split=split,
        shift=shift,
        train_on=train_on,
        period=period,
        ignore=ignore,
        keep=keep,
        **encodings,
    )


def _draw_column(label: str, names: list[str], key: str, there: bool = True) -> str:
    """Draw a choice of a column or none."""
    if not there:
        return ""
    chosen = st.selectbox(label, names, index=None, placeholder="None", key=key)
    return str(chosen or "")


def _draw_several(label: str, names: list[str], key: str) -> tuple[str, ...]:
    """Draw a choice of any number of columns."""
    chosen = st.multiselect(label, names, key=key)
    return tuple(name for name in chosen if name in names)


def _draw_period(table: "UserTable", shift: str) -> str:
    """Draw what groups the dates of the shift column; empty if it has none."""
    from engine.data.user.date_groups import shift_period

    usual = shift_period(table.column(shift), "") if shift else ""
    if not usual:
        return ""
    chosen = st.segmented_control(
        "Group dates by",
        list(PERIODS),
        format_func=str.capitalize,
        default=usual,
        key=f"own_period_{shift}",
        required=True,
    )
    return str(chosen)


def _draw_group(table: "UserTable", shift: str, period: str) -> str:
    """Draw the choice of the group of rows that is trained on."""
    from engine.data.user.data_splits import GROUPS
    from engine.data.user.date_groups import shift_groups

    groups = shift_groups(table.column(shift), period)
    if not 2 <= len(groups) <= GROUPS:
        return ""  # the column is refused as a shift, with the reason
    chosen = st.selectbox(
        "Train on the group",
        groups,
        index=None,
        placeholder="The earliest"
        if period
        else "The smallest number, or the most frequent word",
        key="own_train_on",
    )
    return str(chosen) if chosen in groups else ""


def _draw_orders(table: "UserTable", names: Sequence[str]) -> tuple[str, ...]:
    """Draw the order of the values of each ordinal column, which may be changed.

    Args:
        table: The file.
        names: The ordinal columns.
    """
    orders = []
    for name in names:
        values = table.column(name).values
        written = any("<" in value for value in values)
        if written or len(values) > ORDERED:
            orders.append(name)
            continue
        usual = " < ".join(values)
        # By the name: another column, or file, has other values.
        order = st.text_input(f"Order of {name}", usual, key=f"own_order_{name}")
        orders.append(name if order.strip() == usual else f"{name}={order}")
    return tuple(orders)


def _draw_encodings(table: "UserTable", others: list[str]) -> dict[str, Any]:
    """Draw how columns become numbers; choices that cannot apply are not drawn."""
    kinds = {column.name: column.kind for column in table.columns}
    worded = [name for name in others if kinds[name] in ("text", "boolean")]
    dated = [name for name in others if kinds[name] == "date"]
    lists: dict[str, Any] = {}
    for field, label, names in (
        ("one_hot", "One-hot: an input per value", worded),
        ("ordinal", "Ordinal: 0, 1, … in order", worded),
        ("dates", "Dates as days", dated),
    ):
        if names:
            lists[field] = _draw_several(label, names, f"own_{field}")
            if field == "ordinal":
                lists[field] = _draw_orders(table, lists[field])
    return lists
