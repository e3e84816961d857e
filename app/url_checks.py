"""Checks the URL's parameters; unknown or unusable ones are named in a notice.

Streamlit binds view options to parameters. Of repeated values it takes the last, and
it silently ignores values and names that it cannot use.
"""

from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app import session, share_links, visitors
from app.old_addresses import OLD_TABS
from app.widgets.escaping import escape_markdown
from engine.contract.kinds import current_name
from engine.contract.text_decoding import clean

SPEC = frozenset({"run", "runs", "x", visitors.SHARE, session.SWEEP})
VIEW = frozenset(
    (
        "against",
        "compare_metric",
        "curves",
        "every_claim",
        "evidence",
        "few_shot_curves",
        "film_episode",
        "film_name",
        "film_over",
        "film_picture",
        "film_task",
        "film_which",
        "find",
        "find_part",
        "gallery",
        "knowledge_of",
        "lesson",
        "log",
        "map_color",
        "matrix_from",
        "matrix_measure",
        "matrix_metric",
        "number",
        "of_kind",
        "paired",
        "per_task_metric",
        "relation",
        "rl_curves",
        "rl_smooth",
        "robustness",
        "search_against",
        "search_curves",
        "severity_metric",
        "shelf",
        "show",
        "smooth",
        "sort",
        "space_view",
        "sphere_every",
        "sphere_learner",
        "sphere_search",
        "tab",
        "tag",
        "than",
        "training",
        "view",
        "where",
    )
)
# Lessons were sections of Learn.
_OLD_VALUES = {
    ("shelf", "A lesson: search"): ("lesson", "Search"),
    ("shelf", "A lesson: doubt"): ("lesson", "Doubt"),
    ("shelf", "A lesson: exploring"): ("lesson", "Exploring"),
}
_ASKED, _SEEN, _NOTES = "parameters_asked", "parameters_seen", "parameter_notices"
_MANY = 5


def check_parameters(page: str) -> None:
    """Keep the first of repeated values, and drop unknown parameters.

    Args:
        page: The current page; notices are cleared on another page.
    """
    if _rename_old():
        st.rerun()
    if st.session_state.get(_SEEN) != page:
        st.session_state.update({_SEEN: page, _NOTES: [], _ASKED: {}})
    given = {name: st.query_params.get_all(name) for name in st.query_params}
    unknown = [name for name in given if name not in SPEC | VIEW]
    if unknown:
        names = ", ".join(repr(clean(name)[:40]) for name in unknown[:_MANY])
        _add_notice(
            f"The link contains {names}, which this app does not know and ignores. "
            "Use Copy link to share the settings of an experiment."
        )
    for name in unknown:
        del st.query_params[name]
    repeated = [name for name in given if share_links.first_value(given, name)[1]]
    if _take_first({name: given[name][0] for name in repeated if name not in unknown}):
        st.rerun()
    # A rerun may end the script early, so values are remembered and checked later.
    st.session_state[_ASKED] |= {name: given[name][0] for name in VIEW & given.keys()}


def _rename_old() -> bool:
    """Rename parameters and values of older releases; return whether any were there."""
    if tab := OLD_TABS.get(st.query_params.get("tab", "")):
        st.query_params["tab"], st.query_params[tab[1]] = tab[0], tab[2]
        return True
    old = [n for n in st.query_params if current_name(n) in VIEW - {n}]
    for name in old:
        values = st.query_params.get_all(name)
        del st.query_params[name]
        st.query_params.setdefault(current_name(name), values)
    moved = [p for p in _OLD_VALUES if st.query_params.get(p[0]) == p[1]]
    for name, value in moved:
        del st.query_params[name]
        now, there = _OLD_VALUES[name, value]
        st.query_params[now] = there
    return bool(old or moved)


def _take_first(values: dict[str, str]) -> bool:
    """Reduce repeated parameters to their first value; return whether any changed."""
    changed = False
    for name, value in values.items():
        _add_notice(f"The link contains {name!r} more than once; the first is used.")
        try:
            st.query_params[name] = value
        except StreamlitAPIException:  # its widget is already drawn
            continue
        changed = True
    return changed


def report_unusable() -> None:
    """Add notices for unusable values, once all widgets are drawn."""
    for name, text in st.session_state.get(_ASKED, {}).items():
        if name in st.session_state and (instead := _describe_replacement(name, text)):
            _add_notice(
                f"The link contains {name} = {clean(text)[:40]!r}, which cannot be "
                f"used: {instead}."
            )
    st.session_state[_ASKED] = {}


def _describe_replacement(name: str, text: str) -> str:
    """Describe what is shown instead of a value; empty if the value is shown."""
    taken = st.query_params.get(name)
    if taken is not None:
        return "" if _is_same_value(taken, text) else f"{taken} is shown"
    # Streamlit removes defaults and unusable values from the URL.
    options = _option_words(name)
    if options:
        listed = ", ".join(options[:_MANY]) + ", …" * (len(options) > _MANY)
        return "" if text in options else f"allowed are {listed}"
    return (
        "" if _is_same_value(st.session_state[name], text) else "the default is shown"
    )


def _is_same_value(value: Any, text: str) -> bool:
    try:
        return float(value) == float(text)
    # Not numbers: compare as texts, ignoring case as Streamlit does.
    except (TypeError, ValueError):
        return str(value).casefold() == text.casefold()


def _option_words(name: str) -> list[str]:
    """Return the displayed choices of a view option; empty if it has none."""
    context = get_script_run_ctx()
    if context is None:
        return []
    state = context.session_state._state  # no public API exposes them
    binding = state.query_params.get_binding_for_param(name)
    held = state._new_widget_state.widget_metadata
    known = held.get(binding.widget_id) if binding else None
    return list((known and known.formatted_options) or [])


def _add_notice(text: str) -> None:
    if text not in st.session_state[_NOTES]:
        st.session_state[_NOTES].append(text)


def draw_notices() -> None:
    """Draw the notices."""
    for text in st.session_state.get(_NOTES, ()):
        st.info(escape_markdown(text), icon=":material/info:")
