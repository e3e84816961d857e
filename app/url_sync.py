"""The Lab's URL, in sync with the session.

The URL names the run in view (`run`) and, if the form differs from it, the form (`x`).
In the demo, `share` opens the run of another visitor.
Opening such a URL restores both and never starts anything.
"""

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app import session, share_links, visitors
from app.client import client, recorded_examples
from app.experiment import derived_experiments
from engine.contract import kinds
from engine.contract.errors import Refused
from engine.contract.run_spec import RunSpec
from engine.stats.verdicts.wording import capitalize_first


def read_url() -> None:
    """Load what the URL names, if it changed."""
    url = _url_state()
    if st.session_state.get(session.SEEN_URL) == url:
        return
    st.session_state[session.SEEN_URL] = url
    session.forget_notices()
    # One that can't be used leaves the other: a damaged id still opens its experiment.
    for take, text in zip((_take_run, _take_spec), url, strict=False):
        try:
            take(text)
        except Refused as refusal:
            session.add_notice(capitalize_first(refusal.message))


def _url_state() -> tuple[str | None, ...]:
    """Return what the URL names: its run, with what opens it, and its experiment."""
    asked = st.query_params
    return asked.get("run"), asked.get("x"), asked.get(visitors.SHARE)


def _take_run(text: str | None) -> None:
    session.show_run(None)
    if text is None:
        return
    key = share_links.check_run_key(text)
    # A wrong token is told as a run that is not there.
    visitors.open_shared_run(key, st.query_params.get(visitors.SHARE, ""))
    if client.job(key) is not None:
        session.show_run(key)
        session.open_spec(client.spec(key))
    elif (example := recorded_examples.find_recorded(key)) is not None:
        session.open_spec(example.spec)  # the form's example, and so what is in view
    elif st.query_params.get("x") is None:
        raise Refused("There is no run with this id.", "run")


def _take_spec(text: str | None) -> None:
    if text is not None:
        cards = client.catalogue().card if client.is_catalogue_ready() else None
        session.open_spec(share_links.unpack(text, cards))


def write_url(spec: RunSpec | None, key: str | None) -> None:
    """Write the run in view and the form to the URL.

    Args:
        spec: The form's completed spec; None if the form is invalid.
        key: Its run key.
    """
    shown = session.run_in_view()
    needs_form = spec is not None and key not in (shown, _default_key())
    _write_all(shown, share_links.pack(spec) if spec and needs_form else None)
    st.session_state[session.SEEN_URL] = _url_state()


def _write_all(run: str | None, form: str | None) -> None:
    """Write or remove all parameters as one step of the browser's history.

    Each message to the browser would be one more press of Back.
    """
    held = visitors.address_of(run) if run else {}
    asked = {"run": None, visitors.SHARE: None, **held, "x": form}
    given = {name: text for name, text in asked.items() if text is not None}
    gone = [n for n in asked if n not in given and n in st.query_params]
    context = get_script_run_ctx()
    if given and context is not None:
        held = context.session_state._state.query_params  # no public API is silent
        for name in gone:
            held.discard_param_no_forward_msg(name)
        st.query_params.update(given)
        return
    for name in gone:
        del st.query_params[name]


def _default_key() -> str | None:
    """Return the key of what an address without parameters opens, if none is needed."""
    if session.run_in_view():
        return None
    kind = next(iter(kinds.KINDS))
    first = derived_experiments.default_experiment(client.catalogue(), kind)
    return client.complete_with_key(first)[1]
