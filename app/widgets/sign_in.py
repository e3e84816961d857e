"""Sign-in, where the operator has configured a provider: runs then follow the person.

Streamlit does the work (`[auth]` in its secrets); without that nothing is shown.
"""

from collections.abc import Mapping

import streamlit as st

from app import visitors
from app.widgets.escaping import escape_markdown
from engine.executors.demo import is_demo
from engine.stats.verdicts.wording import format_count

_ANSWERED = "runs_move_answered"


def is_offered() -> bool:
    """Whether visitors of the demo can sign in."""
    return is_demo() and visitors.can_sign_in()


def draw_sign_in() -> None:
    """Draw the entry to sign in or out; nothing where no provider is configured."""
    if not is_offered():
        return
    if user := visitors.signed_in_user():
        name = str(user.get("name") or user.get("email") or "your account")
        st.caption(f"Signed in as {escape_markdown(name[:60])}.", width="content")
        st.button("Sign out", key="sign_out", type="tertiary", on_click=st.logout)
        return
    for provider in _providers():
        st.button(
            f"Sign in with {provider.capitalize()}" if provider else "Sign in",
            key=f"sign_in.{provider}",
            type="tertiary",
            help="Your runs then follow you to other browsers.",
            on_click=st.login,
            args=(provider,) if provider else (),
        )


def _providers() -> list[str]:
    """Return the configured providers; an empty name for the only one."""
    auth = st.secrets["auth"]
    named = [name for name, held in auth.items() if isinstance(held, Mapping)]
    return named if named and "client_id" not in auth else [""]


def draw_move() -> None:
    """Offer, once, to move the runs of this browser to the account."""
    if not is_offered() or st.session_state.get(_ANSWERED):
        return
    count = visitors.count_left_runs()
    if not count:
        return
    with st.container(
        horizontal=True, vertical_alignment="center", border=True, key="move_runs"
    ):
        st.markdown(
            f"This browser holds {format_count(count, 'run')} from before you signed "
            "in.",
            width="content",
        )
        st.button("Move to my account", key="move_yes", on_click=_move)
        st.button("Leave there", key="move_no", type="tertiary", on_click=_leave)


def _move() -> None:
    visitors.move_left_runs()
    _leave()


def _leave() -> None:
    st.session_state[_ANSWERED] = True
