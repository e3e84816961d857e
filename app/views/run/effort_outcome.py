"""How a run with looks ended: decided, or stopped at its ceiling; how to add more."""

import streamlit as st

from app.client import client
from app.client.client import Run
from engine.contract.effort import Effort, effort_of, with_effort
from engine.contract.errors import Refused
from engine.contract.jobs import JobState
from engine.contract.run_spec import MOST_REPLICATES, RunSpec
from engine.stats.learner_claims import CANT_TELL

# The shares of false calls are simulated, with normal differences: 7.5 % where a run of
# eight looks is doubled, 9.1 % where a quick one is continued.
_HELP = (
    "The same experiment with up to {ceiling} replicates; the first {now} are these. "
    "Going on only because nothing was decided raises the share of false calls, from "
    "5 % to between 7 and 9 %. For a sharp 5 %, give the new run another seed."
)


def draw_outcome(run: Run) -> None:
    """Draw when a finished run stopped, and a button to go on if it can't tell yet."""
    if run.summary is None or run.is_alive:
        return
    call = primary_call(run)
    if text := describe_stop(run, call):
        st.caption(text)
    more = longer_spec(run) if call == CANT_TELL and run.job is not None else None
    if more is not None and st.button(
        "Add replicates",
        icon=":material/add:",
        key="add_replicates",
        help=_HELP.format(ceiling=more.replicates, now=run.replicates),
    ):
        job = client.submit(more, run.job.title if run.job else "")
        st.query_params["run"] = job.key  # from which the next run of the page reads it
        st.rerun()


def primary_call(run: Run) -> str:
    """Return the call of a run's primary question; empty if it has none."""
    claims = (run.summary or {}).get("claims") or []
    found = [claim for claim in claims if claim.get("primary")]
    return str(found[0]["call"]) if found else ""


def describe_stop(run: Run, call: str) -> str:
    """Return one line on when a run until decided stopped; empty for any other.

    Args:
        run: The run.
        call: Its primary question's call; empty if it has none.
    """
    ended = run.job is None or run.job.state == JobState.DONE
    if effort_of(run.spec) is not Effort.UNTIL_DECIDED or not ended or not call:
        return ""
    most = run.spec.replicates
    if call == CANT_TELL:
        return f"Stopped at its ceiling of {most} replicates."
    return f"Decided after {run.replicates} of at most {most} replicates."


def longer_spec(run: Run) -> RunSpec | None:
    """Return the run's spec with a ceiling of twice its replicates; None at the limit.

    A run without looks goes on in batches of its kind.
    """
    most = min(MOST_REPLICATES, 2 * run.spec.replicates)
    if most == run.spec.replicates:
        return None
    try:
        return with_effort(run.spec, run.kind, Effort.UNTIL_DECIDED, most)
    except Refused:  # small batches: more looks than a spec can hold
        return None
