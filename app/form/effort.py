"""The form's effort: quick, until decided or a fixed number of replicates."""

import streamlit as st

from app import session
from app.experiment import budget_fields, effort_fields, fields
from app.form import field_widgets, part_widgets
from engine.contract.effort import Effort
from engine.contract.kinds import Kind


def draw_effort(kind: Kind) -> None:
    """Draw the effort, the numbers of replicates that it needs, and the seed."""
    st.session_state.setdefault(effort_fields.EFFORT, Effort.UNTIL_DECIDED.value)
    st.radio(
        "Effort",
        [effort.value for effort in Effort],
        format_func=lambda name: effort_fields.TITLES[Effort(name)],
        captions=effort_fields.effort_captions(session.form_values(), kind),
        key=effort_fields.EFFORT,
        help="How many replicates are computed. Until decided: batches are added until "
        "the primary question is answered as better, worse or equal.",
        **part_widgets.PERSIST,
    )
    columns = st.columns(2)
    for i, field in enumerate([*_count_fields(kind), budget_fields.seed_field()]):
        with columns[i % 2]:
            field_widgets.draw_field(field)


def _count_fields(kind: Kind) -> list[fields.Field]:
    effort = Effort(st.session_state[effort_fields.EFFORT])
    if effort is Effort.FIXED:
        return [effort_fields.replicates_field()]
    if effort is Effort.UNTIL_DECIDED:
        return [effort_fields.batch_field(kind), effort_fields.ceiling_field(kind)]
    return []
