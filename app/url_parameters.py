"""The parameters of the address: one that is odd is named in a notice, never obeyed.

Streamlit itself ties view options to parameters. Of repeated values it takes the
last, and it says nothing of a value or a name that it cannot use.
"""

from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app import links
from app.widgets.escaping import escape_markdown
from engine.contract.kinds import current_name
from engine.contract.text_input import clean

SPEC = frozenset({"run", "x"})
VIEW = frozenset(
    (
        "against",
        "compare_metric",
        "curves",
        "every_claim",
        "few_shot_curves",
        "film_name",
        "film_task",
        "film_which",
        "find",
        "find_part",
        "knowledge_of",
        "log",
        "map_color",
        "matrix_from",
        "matrix_measure",
        "matrix_metric",
        "paired",
        "per_task_metric",
        "search_against",
        "search_curves",
        "severity_by",
        "severity_metric",
        "shelf",
        "show",
        "smooth",
        "sphere_every",
        "sphere_learner",
        "sphere_search",
        "tab",
        "transfer",
        "view",
        "where",
    )
)
_ASKED, _SEEN, _NOTES = "parameters_asked", "parameters_seen", "parameter_notices"
_MANY = 5


def check_parameters(page: str) -> None:
    """Take the first of repeated values, and drop what is unknown.

    Args:
        page: Where the visitor is; what was odd is forgotten on another page.
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
            f"The link gives {names}, which is no parameter of this app: it is "
            "ignored. The settings of an experiment travel with Copy link."
        )
    for name in unknown:
        del st.query_params[name]
    repeated = [name for name in given if links.first_value(given, name)[1]]
    if _take_first({name: given[name][0] for name in repeated if name not in unknown}):
        st.rerun()
    # A run of the page may end early; what it asked for is then compared later.
    st.session_state[_ASKED] |= {name: given[name][0] for name in VIEW & given.keys()}


def _rename_old() -> bool:
    """Give parameters of older releases their present names; whether there were any."""
    old = [n for n in st.query_params if current_name(n) in VIEW - {n}]
    for name in old:
        values = st.query_params.get_all(name)
        del st.query_params[name]
        st.query_params.setdefault(current_name(name), values)
    return bool(old)


def _take_first(values: dict[str, str]) -> bool:
    """Whether any of several values gave way to the first."""
    changed = False
    for name, value in values.items():
        _add_notice(f"The link gives {name!r} more than once; the first one counts.")
        try:
            st.query_params[name] = value
        except StreamlitAPIException:  # its widget is there and has its value
            continue
        changed = True
    return changed


def report_unusable() -> None:
    """Name the values that no view option could take, once all is drawn."""
    for name, text in st.session_state.get(_ASKED, {}).items():
        if name in st.session_state and (instead := _describe_replacement(name, text)):
            _add_notice(
                f"The link gives {name} = {clean(text)[:40]!r}, which cannot be "
                f"used: {instead}."
            )
    st.session_state[_ASKED] = {}


def _describe_replacement(name: str, text: str) -> str:
    """Return what is shown instead of a value; empty where it is what is shown."""
    taken = st.query_params.get(name)
    if taken is not None:
        return "" if _is_same_value(taken, text) else f"{taken} is shown"
    # Streamlit drops the default from the address, and what it cannot use.
    options = _option_words(name)
    if options:
        listed = ", ".join(options[:_MANY]) + ", …" * (len(options) > _MANY)
        return "" if text in options else f"it takes {listed}"
    return (
        "" if _is_same_value(st.session_state[name], text) else "the default is shown"
    )


def _is_same_value(value: Any, text: str) -> bool:
    try:
        return float(value) == float(text)
    except (TypeError, ValueError):
        return str(value).casefold() == text.casefold()


def _option_words(name: str) -> list[str]:
    """Return the words of an option that are drawn; empty where it has none."""
    context = get_script_run_ctx()
    if context is None:
        return []
    state = context.session_state._state  # Streamlit tells them nowhere else
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
