"""What the list of runs shows and in which order, as chosen on the page."""

import math
from collections.abc import Sequence

import streamlit as st

from app.client import run_groups
from app.widgets.escaping import escape_markdown
from engine.contract.jobs import ALIVE, RESUMABLE, JobState
from engine.contract.kinds import KINDS
from engine.contract.text_decoding import clean
from engine.store.listing import JobFilter, Order
from engine.store.number_filter import RELATIONS, NumberFilter, number_names

_STATES: dict[str, frozenset[JobState] | None] = {
    "all": None,
    "in work": ALIVE,
    "done": frozenset({JobState.DONE}),
    "unfinished": RESUMABLE | {JobState.DIVERGED},
}
# As the list sorts, and whether the first is what most people look for.
_ORDERS = {
    "Newest": Order("created"),
    "Oldest": Order("created", descending=False),
    "Name": Order("name", descending=False),
    "Call, better first": Order("call", descending=False),
    "Call, worse first": Order("call"),
    "Result, lowest": Order("value", descending=False),
    "Result, highest": Order("value"),
    "Difference, lowest": Order("difference", descending=False),
    "Difference, highest": Order("difference"),
    "Replicates, most": Order("replicates"),
    "Kind": Order("kind", descending=False),
    "State": Order("state", descending=False),
    "Progress": Order("done"),
}
_ANY = "any"
_KEYS = ("find", "show", "of_kind", "tag", "number", "relation", "than")


def draw_filters(group: str = "") -> tuple[JobFilter, Order]:
    """Draw search, filters and order; return what was chosen.

    Args:
        group: Only runs of this group; empty for all.
    """
    with st.container(horizontal=True, vertical_alignment="bottom"):
        text = st.text_input(
            "Find",
            key="find",
            bind="query-params",
            placeholder="Title, task, learner, tag, note or id",
            help="Every word must occur in the title, the question, the tags, the note "
            "or the id of a run.",
            icon=":material/search:",
            max_chars=120,
            width=320,
        )
        shown = st.segmented_control(
            "Show",
            list(_STATES),
            default="all",
            key="show",
            bind="query-params",
            required=True,
            format_func=str.capitalize,
            help="In work: queued or running. Unfinished: what can be resumed, and "
            "runs whose learner diverged.",
        )
        order = st.selectbox(
            "Sort by",
            list(_ORDERS),
            key="sort",
            bind="query-params",
            width=190,
            help="Sorts all pages; runs without the value come last. Result: the "
            "judged learner's main metric, of which less is better.",
        )
        with st.popover("Filter", icon=":material/filter_list:", key="more_filters"):
            chosen = _draw_more()
    asked = chosen._replace(
        states=_STATES.get(str(shown)), text=clean(text or ""), group=group
    )
    _draw_active(asked)
    return asked, _ORDERS[order]


def _draw_more() -> JobFilter:
    """Draw the filters by kind, tag and number."""
    kind = st.selectbox(
        "Kind of task",
        [_ANY, *KINDS],
        key="of_kind",
        bind="query-params",
        format_func=lambda name: KINDS[name].title if name in KINDS else "Any",
        help="Only runs of this kind of task.",
    )
    tag = st.selectbox(
        "Tag",
        _with_chosen(["", *run_groups.all_tags()], "tag"),
        key="tag",
        bind="query-params",
        format_func=lambda name: name or "Any",
        help="Only runs with this tag. Select runs in the list to give them tags.",
    )
    return JobFilter(
        task_kind="" if kind == _ANY else kind, tag=tag or "", number=_draw_number()
    )


def _with_chosen(options: Sequence[str], key: str) -> list[str]:
    """Return the options with the chosen one, which the last run may have lost."""
    chosen = st.session_state.get(key, "")
    return [*options, *([chosen] if chosen not in options else [])]


def _draw_number() -> NumberFilter | None:
    """Draw the condition on a number; None unless all of it is given."""
    titles = number_names()
    name = st.selectbox(
        "Number",
        ["", *titles],
        key="number",
        bind="query-params",
        format_func=lambda each: titles.get(each, "Any"),
        help="The mean of the judged learner, in distribution. Difference: from its "
        "main rival; below 0 it is better.",
    )
    left, right = st.columns([1, 2])
    relation = left.selectbox(
        "Relation",
        list(RELATIONS),
        key="relation",
        bind="query-params",
        help="How the number compares with the value.",
    )
    value = right.number_input(
        "Value",
        value=None,
        key="than",
        bind="query-params",
        format="%g",
        step=0.01,
        placeholder="such as 0.02",
        help="In the unit that the number's name gives.",
    )
    if not name or value is None or not math.isfinite(value):
        return None
    return NumberFilter(name, relation, value / _factor(name))


def _factor(name: str) -> float:
    """Return the factor from a stored number to the unit in its title."""
    is_percent = any(name in kind.metrics.percent for kind in KINDS.values())
    return 100.0 if is_percent else 1.0


def _draw_active(asked: JobFilter) -> None:
    """Say which hidden filters apply, with a button that clears all."""
    parts = []
    if asked.task_kind:
        parts.append(KINDS[asked.task_kind].title)
    if asked.tag:
        parts.append(f"tag “{asked.tag}”")
    if (number := asked.number) is not None:
        value = number.value * _factor(number.name)
        parts.append(f"{number_names()[number.name]} {number.relation} {value:g}")
    if not parts:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(escape_markdown(f"Only {', '.join(parts)}."), width="content")
        st.button(
            "Clear filters",
            key="clear_filters",
            type="tertiary",
            icon=":material/close:",
            on_click=clear_filters,
            help="Shows all runs again.",
        )


def clear_filters() -> None:
    """Show all runs again; call it before the widgets are drawn."""
    for key in _KEYS:
        st.session_state.pop(key, None)
        if key in st.query_params:
            del st.query_params[key]


def is_filtered(asked: JobFilter) -> bool:
    """Return whether some runs may be hidden."""
    return asked._replace(group="") != JobFilter()
