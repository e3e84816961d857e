"""The claims board: common claims on meta-learning, tested by measurement."""

from collections.abc import Sequence

import streamlit as st

from app.views.claims import claim_states, studies
from app.views.claims.card import draw_card
from app.views.claims.claim_states import ClaimState
from app.widgets import page_elements, page_frame
from app.widgets.svg_picture import ink_of
from engine.stats.verdicts.wording import format_count

POLL = 2.0  # seconds, while a run is alive


def draw_claims_board() -> None:
    """Draw one card for each claim, by kind of task."""
    page_elements.draw_heading(
        "Claims board",
        "What the field repeats, each sentence with a protocol written before it was "
        "measured. The interval alone decides. Gray: the claimed range; dashed: the "
        "value from which the claim holds, where that is not 0. A negative saving is a "
        "loss. Recorded: measured before it was shipped; your own runs replace it.",
    )
    claims = claim_states.list_claims()
    alive = any(claim.is_alive for claim in claims)
    page_frame.poll(_draw_cards, POLL if alive else None)(alive)
    # After the cards: what was recorded is shown until the catalogue is ready.
    studies.is_ready(skeleton=not claims)


def _draw_cards(was_alive: bool) -> None:
    claims = claim_states.list_claims()
    if was_alive and not any(claim.is_alive for claim in claims):
        st.rerun()
    _draw_overview(claims)
    ink = ink_of(st.context.theme.type)
    for kind, some in claim_states.group_by_kind(claims):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.subheader(kind.title, anchor=kind.name, width="content")
            st.caption(f"{claim_states.count_verdicts(some)}.")
        for claim in some:
            draw_card(claim, ink)


def _draw_overview(claims: Sequence[ClaimState]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{claim_states.count_verdicts(claims)}.**")
        st.space("stretch")
        open_ones = [c for c in claims if c.verdict is None and c.missing_runs]
        missing = {run.key for claim in open_ones for run in claim.missing_runs}
        can_measure = missing and not studies.measure_refusal(sorted(missing))
        if can_measure and st.button(
            f"Measure the other {len(open_ones)}",
            icon=":material/playlist_play:",
            key="board.all",
            help=f"Queues {format_count(len(missing), 'run')}; what was computed "
            "before is reused.",
        ):
            for claim in open_ones:
                if claim.study is not None:
                    studies.queue_missing(claim.study, claim.missing_runs)
            st.rerun()
