"""The section Other families: trained on one, tested on another.

The run in view comes first; below it all finished runs of the same learner.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import streamlit as st

from app.charts.chart_options import ViewState
from app.client import client
from app.client.client import Run
from app.figures.shift import family_matrix_figure
from app.figures.theme import learner_name
from app.widgets import page_elements
from app.widgets.metric_select import metric_select
from engine.contract import kinds
from engine.contract.jobs import JobState
from engine.contract.run_spec import RunSpec
from engine.stats.shift_and_transfer import transfer_levels

MAX_RUNS = 100  # the newest finished runs that are looked through
Result = tuple[RunSpec, dict[str, Any]]


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw train family × test family of one learner."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        label = _choose_learner(run)
        results = list(_results_of(run, label))
        if not results:
            page_elements.draw_empty(
                "No result yet", "The matrix appears when the run has ended."
            )
            return
        metric = metric_select(
            available_metrics(results, label, run.kind),
            "matrix_metric",
            width=220,
            metric_of=lambda name: _underlying_metric(name, run.kind),
        )
    made = transfer_levels(results, label, metric)
    if not made.train:
        page_elements.draw_empty("No test of this learner", "Choose another one.")
        return
    if len(made.test) < 2:
        st.caption(
            "So far one family only. Add **Other families** in All settings, "
            "or run this learner on another family: each run fills one row."
        )
    name = _underlying_metric(metric, run.kind)
    page_elements.draw_chart(family_matrix_figure(made, name), "matrix")
    st.caption(_describe_sources(len(results)))


def _choose_learner(run: Run) -> str:
    labels = sorted(run.roles, key=lambda label: run.roles[label] != "chosen")
    picked = st.selectbox(
        "Learner",
        labels,
        format_func=learner_name,
        key=f"matrix_learner.{run.key[:12]}",
        width=220,
    )
    return str(picked)


def _results_of(run: Run, label: str) -> Iterable[Result]:
    """Yield this run's result, then those of other finished runs of the learner."""
    if run.summary:
        yield run.spec, run.summary
    for job in client.jobs((JobState.DONE,), "", (MAX_RUNS, 0))[0]:
        spec = client.spec(job.key)
        if job.key == run.key or label not in {e.label for e in spec.learners}:
            continue
        if client.kind_of_spec(spec) == run.kind and (told := client.summary(job.key)):
            yield spec, told


def _describe_sources(count: int) -> str:
    if count == 1:
        return "From this run alone."
    return (
        f"From this run and {count - 1} more finished runs of this learner, whose "
        "other settings may differ. Of several results in a cell this run's is shown, "
        "then the newest."
    )


def _underlying_metric(name: str, kind: kinds.Kind) -> str:
    """Return the metric that a key of the summary is computed from."""
    return kind.criteria[0].beside if name == "rmst" else name


def available_metrics(
    runs: Sequence[Result], label: str, kind: kinds.Kind
) -> list[str]:
    """Return the kind's metrics that some run has for a learner; else all."""
    there = {
        metric
        for _, summary in runs
        for entry in summary.get("conditions", [])
        for metric in entry["learners"].get(label, {})
    }
    return [m for m in kind.metrics.by_family if m in there] or list(
        kind.metrics.by_family
    )
