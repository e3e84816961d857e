"""Going on with a run that can't tell yet: the same experiment, a higher ceiling."""

import streamlit as st

from app.client import client
from app.client.client import Run
from app.widgets import page_frame
from engine.contract.effort import Effort, with_effort
from engine.contract.errors import Refused
from engine.contract.run_spec import MOST_REPLICATES, RunSpec
from engine.stats.learner_claims import CANT_TELL, primary_claim

# The shares of false calls are simulated, with normal differences: 7.5 % where a run of
# eight looks is doubled, 9.1 % where a quick one is continued.
_HELP = (
    "The same experiment with up to {ceiling} replicates; the first {now} are these. "
    "Going on only because nothing was decided raises the share of false calls, from "
    "5 % to between 7 and 9 %. For a sharp 5 %, give the new run another seed."
)


def draw_longer_run(run: Run) -> None:
    """Draw a button that adds replicates, where the primary question is still open."""
    claim = primary_claim(run.claims)
    if run.job is None or run.is_alive or claim is None or claim.call != CANT_TELL:
        return
    more = longer_spec(run)
    if more is not None and st.button(
        "Add replicates",
        icon=":material/add:",
        key="add_replicates",
        help=_HELP.format(ceiling=more.replicates, now=run.replicates),
    ):
        with page_frame.show_errors():
            job = client.submit(more, run.job.title)
            # From which the next run of the page reads it.
            st.query_params["run"] = job.key
            st.rerun()


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
