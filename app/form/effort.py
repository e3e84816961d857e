"""The form's effort: quick, until decided or a fixed number of replicates."""

import contextlib

import streamlit as st

from app.experiment import effort_fields
from app.experiment.spec_mapping import Form
from app.form import changes, field_widgets, part_widgets
from engine.contract.effort import Effort
from engine.contract.errors import Refused
from engine.contract.kinds import Kind


def draw_effort(kind: Kind, form: Form) -> None:
    """Draw the effort; a fixed one is asked for its number of replicates.

    Args:
        kind: The form's kind of task.
        form: The form's fields.
    """
    key = effort_fields.EFFORT
    st.session_state.setdefault(key, Effort.UNTIL_DECIDED.value)
    st.segmented_control(
        changes.mark_label("Effort", key),
        [effort.value for effort in Effort],
        format_func=lambda name: effort_fields.TITLES[Effort(name)],
        key=key,
        required=True,
        width="stretch",
        help="How many replicates are computed. Until decided: batches are added until "
        "the primary question is answered as better, worse or equal.",
        **part_widgets.PERSIST,
    )
    form = form | {key: st.session_state[key]}
    with contextlib.suppress(Refused):  # the reason stands beside Run
        st.caption(effort_fields.describe_effort(form, kind))
    if form[key] == Effort.FIXED:
        field_widgets.draw_field(effort_fields.replicates_field())
