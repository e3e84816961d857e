"""Who asks, in the demo: a browser by its cookie, and what everyone may read.

The cookie is set by the web server with the first page and holds 128 random bits; the
workspace is named by its hash, so that the store does not hold what opens it.
"""

import functools
import hashlib
import re
import secrets
from collections.abc import Mapping

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.client import client, demo_checks, process_store
from app.client.demo_checks import RunNeeds
from app.client.process_store import Visitor
from engine.contract.errors import Refused
from engine.contract.run_spec import RunSpec
from engine.executors.demo import is_demo
from engine.store import workspace_moves

SHARE = "share"  # the parameter of a link that opens a run of others
COOKIE = "metascope_visitor"
_ID = re.compile(r"[0-9a-f]{32}")
_SHARED, _SESSION = "shared_keys", "session_workspace"


def serve_visitors() -> None:
    """Let the client know who asks and what runs need; call it before it is used."""
    process_store.serve_visitors(find_visitor, is_public)
    demo_checks.use_estimates(_estimate_needs)


def _estimate_needs(spec: RunSpec) -> RunNeeds:
    from app.experiment import run_needs  # not above: no page waits for numpy

    return run_needs.estimate_needs(spec)


def find_visitor() -> Visitor:
    """Return the visitor whose page is drawn; outside of pages, one without runs."""
    if get_script_run_ctx() is None:
        return Visitor()
    shared = st.session_state.get(_SHARED, frozenset())
    return Visitor(_workspace_name(_identity()), shared)


def _identity() -> str:
    """Return what tells this visitor from others; secret, so never stored or shown."""
    user = signed_in_user()
    if user:
        return f"user {user.get('iss', '')} {user['sub']}"
    if browser := _browser_identity():
        return browser
    # Without cookies the workspace lasts as long as the page is open.
    return f"session {st.session_state.setdefault(_SESSION, secrets.token_hex(16))}"


@functools.cache
def can_sign_in() -> bool:
    """Whether the operator has configured a provider, read once: a page asks often."""
    return "is_logged_in" in st.user


def signed_in_user() -> Mapping[str, object]:
    """Return what the provider tells of who is signed in; empty if nobody is."""
    is_known = can_sign_in() and st.user.get("is_logged_in")
    return st.user if is_known else {}


def _browser_identity() -> str:
    """Return what tells this browser from others; empty where it keeps no cookie."""
    cookie = st.context.cookies.get(COOKIE)
    is_ours = isinstance(cookie, str) and _ID.fullmatch(cookie)
    return f"browser {cookie}" if is_ours else ""


def count_left_runs() -> int:
    """Count the runs of this browser that the signed-in visitor has not taken along."""
    browser = _browser_identity()
    if not browser or not signed_in_user():
        return 0
    return process_store.workspace(_workspace_name(browser)).count(kind=None)


def move_left_runs() -> None:
    """Move the runs of this browser to the account of who has signed in."""
    if count_left_runs():
        source = process_store.workspace(_workspace_name(_browser_identity()))
        workspace_moves.move_runs(
            source, process_store.workspace(_workspace_name(_identity()))
        )


def _workspace_name(identity: str) -> str:
    return hashlib.sha256(f"workspace of {identity}".encode()).hexdigest()[:32]


def open_shared_run(key: str, token: str) -> bool:
    """Open a run of others for this session; return whether the token is right."""
    if not is_demo() or not process_store.opens_run(key, token):
        return False
    held = st.session_state.get(_SHARED, frozenset())
    st.session_state[_SHARED] = held | {key}
    return True


def link_token(key: str) -> str:
    """Return what a link to a run needs so that others may read it; empty if nothing.

    Args:
        key: A run that this visitor may read.
    """
    if not is_demo() or is_public(key):
        return ""
    return process_store.make_share_token(key)


def address_of(key: str) -> dict[str, str]:
    """Return the parameters of the Lab's address that open a run for this visitor.

    The token stands there for runs of others alone: an address that is copied by hand
    gives no own run away.

    Args:
        key: A run that this visitor may read.
    """
    token = "" if client.owns(key) else link_token(key)
    return {"run": key, SHARE: token} if token else {"run": key}


def is_public(key: str) -> bool:
    """Whether a key is that of a shipped experiment as it ships."""
    return client.is_catalogue_ready() and key in _shipped_keys()


@functools.cache
def _shipped_keys() -> frozenset[str]:
    return frozenset(_find_shipped_keys())


def _find_shipped_keys() -> list[str]:
    found = []
    for preset in client.catalogue().presets:
        try:
            found.append(client.complete_with_key(preset.spec)[1])
        except Refused:  # its data is not here
            continue
    return found
