"""The Run button, with its estimate, or with the reason why it is off."""

from typing import Literal

import streamlit as st

from app.client import client, spec_checks
from app.experiment import cost_estimate, effort_fields
from app.form.run_request import RunRequest
from app.widgets import page_elements, page_frame
from engine.contract.effort import Effort
from engine.contract.jobs import JobState
from engine.contract.run_spec import RunSpec
from engine.executors.demo import demo_limits, is_demo

_ASKED = "run_asked"
_REFUSED = "run_refused"
_ANCHOR = "run-experiment"
KEY = "run_button"


def ask_for_run() -> None:
    """Let the next rerun of the page run the form's experiment."""
    st.session_state[_ASKED] = True


def tell_refusal(reason: str) -> None:
    """Let the next rerun of the page say above Run why nothing was run."""
    st.session_state[_REFUSED] = reason


def is_run_pressed() -> bool:
    """Whether Run was just pressed, before the form is drawn."""
    return bool(st.session_state.get(KEY) or st.session_state.get(_ASKED))


def draw_skip_link() -> None:
    """Draw a link, seen when the keyboard reaches it, that leads to the Run button.

    Each learner in the menus above the button is one more press of Tab.
    """
    st.html(f'<a class="skip-link" href="#{_ANCHOR}">Skip to Run</a>')


def draw_run_bar(
    request: RunRequest,
    place: Literal["sidebar", "dialog"],
    *,
    shortcut: bool = True,
) -> bool:
    """Draw the Run button; return whether the experiment is to be run.

    Args:
        request: What the form asks for.
        place: Where the button stands.
        shortcut: Whether it answers to the keyboard: one button of a page does.
    """
    wanted = request.run
    job = client.job(wanted[1]) if wanted else None
    done = job is not None and job.state == JobState.DONE
    with st.container(key="runbar" if place == "sidebar" else "runbar_dialog"):
        if place == "sidebar":
            st.html(f'<span id="{_ANCHOR}" tabindex="-1"></span>')
        refused = place == "sidebar" and st.session_state.pop(_REFUSED, "")
        if reason := request.refusal or refused:
            page_elements.draw_refusal(reason)
        if request.is_too_large:
            _draw_smaller(place)
        pressed = st.button(
            "Open result" if done else "Run",
            key=KEY if place == "sidebar" else f"{KEY}_{place}",
            type="primary",
            icon=":material/folder_open:" if done else ":material/play_arrow:",
            shortcut="Ctrl+Enter" if shortcut else None,
            width="stretch",
            disabled=wanted is None,
            help="Already computed: opens immediately." if done else None,
        )
        if done:
            st.caption("This exact experiment is already computed.")
        elif wanted is not None:
            _draw_estimate(*wanted)
            if request.is_pending:
                page_frame.poll(_await_answer, 1.0)(*wanted)
    asked = place == "sidebar" and st.session_state.pop(_ASKED, False)
    return bool(pressed or asked) and wanted is not None


def _draw_smaller(place: str) -> None:
    """Draw what makes an experiment smaller in one click, where there is something."""
    effort = effort_fields.EFFORT
    if st.session_state.get(effort) != Effort.QUICK.value:
        st.button(
            "Make it quick",
            key=f"smaller.{place}",
            icon=":material/bolt:",
            width="stretch",
            on_click=st.session_state.update,
            args=({effort: Effort.QUICK.value},),
            help="Sets Effort to Quick: few replicates, and no wait for a decision.",
        )


def _await_answer(spec: RunSpec, key: str) -> None:
    """Draw the page again once the engine has said whether a spec can be run."""
    if spec_checks.checker.refusal(key, spec, 0.0) is not None:
        st.rerun()


def _draw_estimate(spec: RunSpec, key: str) -> None:
    """Show the estimated duration before the run is started."""
    estimate = cost_estimate.expected_duration(spec, key, cost_estimate.this_machine())
    work = cost_estimate.describe_cost(spec, client.kind_of_spec(spec))
    most = demo_limits().run_seconds // 60 if is_demo() else 0
    limit = f" The demo ends a run after {most:,} min." if most else ""
    st.caption(
        f"{cost_estimate.describe_estimate(estimate)}.{limit}",
        help=cost_estimate.explain_estimate(estimate, work),
    )
