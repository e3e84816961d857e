"""The section Diagnosis: checks of a run, those that found a problem first."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.charts.chart_options import ViewState
from app.client.client import Run
from app.figures.theme import learner_name
from app.widgets.escaping import escape_markdown


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw the findings of a finished run."""
    findings: list[dict[str, Any]] = (run.summary or {}).get("diagnosis", [])
    flagged = [f for f in findings if f["flagged"]]
    st.markdown(f"**{len(flagged)} of {len(findings)} checks found a problem.**")
    for finding in flagged:
        _draw_finding(finding)
    clear = [f for f in findings if not f["flagged"]]
    if clear:
        with st.expander(f"{len(clear)} checks passed"):
            for finding in clear:
                _draw_finding(finding)


def _draw_finding(finding: Mapping[str, Any]) -> None:
    raised = finding["flagged"]
    who = f" · {learner_name(finding['learner'])}" if finding.get("learner") else ""
    with st.container(border=raised, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            if raised:
                st.badge("problem", icon=":material/flag:", color="orange")
            else:
                st.badge("passed", icon=":material/check:", color="green")
            st.markdown(
                f"**{escape_markdown(finding['name'])}**{escape_markdown(who)}",
                width="content",
            )
        st.markdown(escape_markdown(finding["evidence"]))
        if raised and finding.get("remedy"):
            st.markdown(f"→ {escape_markdown(finding['remedy'])}")
