"""The tabs below the main charts, each drawn only when it is open."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import streamlit as st

from app.charts import optimization, training
from app.charts.chart_options import ViewState
from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures import learner_comparison
from app.figures.learner_comparison import forest_figure, spread_figure
from app.figures.shift import severity_figure
from app.figures.theme import learner_name
from app.views.run import exports, run_tables, task_films
from app.views.run.kind_view import VIEWS
from app.widgets import page_elements
from app.widgets.escaping import escape_markdown
from app.widgets.metric_select import metric_select
from engine.contract.metrics import METRICS
from engine.contract.run_spec import RunSpec
from engine.stats.block_table import IN_DISTRIBUTION
from engine.stats.family_names import family_title
from engine.stats.inference.profiles import performance_profile
from engine.stats.learner_claims import Claim
from engine.stats.stored_claims import read_claims

MANY_CLAIMS = 14  # per learner; with more, only the deciding ones are drawn


def draw_tabs(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw the tabs; only the open one is computed."""
    names = [name for name, fits in _FITS.items() if fits(run)]
    made = st.tabs(names, key="tab", bind="query-params")
    for name, tab in zip(names, made, strict=True):
        if tab.open:
            with tab:
                _DRAW[name](run, view_state, titles)


def _draw_claims(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    claims = [_with_family_title(c, run.spec) for c in read_claims(run.summary)]
    groups = dict.fromkeys((c.learner, c.metric) for c in claims)
    if not groups:
        page_elements.draw_empty(
            "Nothing to compare", "Turn on a baseline and run again."
        )
    every = len(claims) <= MANY_CLAIMS * len(groups) or st.toggle(
        "All learners, all conditions",
        key="every_claim",
        bind="query-params",
        help="Off: all learners in distribution; under other conditions only the main "
        "rival.",
    )
    for learner, metric in groups:
        mine = [c for c in claims if (c.learner, c.metric) == (learner, metric)]
        shown = (
            mine
            if every
            else [c for c in mine if c.decisive or c.condition == IN_DISTRIBUTION]
        )
        name = ("forest", run.cache_key, learner, metric, every)
        made = get_or_make(name, lambda shown=shown: forest_figure(shown, run.roles))
        page_elements.draw_chart(
            training.clarify_units(run, made), f"forest.{learner}.{metric}"
        )


def _with_family_title(claim: Claim, spec: RunSpec) -> Claim:
    """Return a claim whose test family is named as it is shown."""
    at = claim.condition
    title = family_title(spec, at.family) if at.family else ""
    return replace(claim, condition=replace(at, family=title))


def _draw_per_task(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    names = [m for m in run.kind.metrics.per_task if _test_values(run, m, view_state)]
    if not names:
        page_elements.draw_empty(
            "No test yet", "Results per task appear with the tests."
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = metric_select(names, "per_task_metric")
        paired = st.toggle(
            "Connect each task's dots", key="paired", bind="query-params"
        )
    values = _test_values(run, metric, view_state)
    left, right = st.columns(2, gap="large")
    late = metric == run.table.criterion.beside
    gap = "not reached" if late else "diverged"
    with left:
        made = spread_figure(values, metric, run.roles, paired=paired, gap=gap)
        page_elements.draw_chart(made, "spread")
    with right:
        made = _profile_figure(values, metric, run)
        page_elements.draw_chart(made, "profile")
    st.caption(_describe_diverged(run, view_state))


def _test_values(run: Run, metric: str, view_state: ViewState) -> dict[str, np.ndarray]:
    """Return a metric per task and learner, NaN where it only holds a cap."""
    rule, at = run.table.criterion, view_state.condition
    found = {label: run.table.test_values(label, metric, at) for label in run.roles}
    known = {label: values for label, values in found.items() if values is not None}
    if metric == rule.beside:
        caps = {label: run.table.test_values(label, "reached", at) for label in known}
        return {label: _blank(rows, caps[label], 0.0) for label, rows in known.items()}
    if metric == "error" and not rule.share:
        caps = {label: run.table.test_values(label, "diverged", at) for label in known}
        return {label: _blank(rows, caps[label], 1.0) for label, rows in known.items()}
    return known


def _blank(values: np.ndarray, flags: np.ndarray | None, flag: float) -> np.ndarray:
    """Return values with NaN where the flags have this value."""
    return values if flags is None else np.where(flags == flag, np.nan, values)


def _profile_figure(values: dict[str, np.ndarray], metric: str, run: Run) -> Any:
    every = np.concatenate([v.ravel() for v in values.values()])
    every = every[np.isfinite(every)]
    low, high = (every.min(), every.max()) if len(every) else (0.0, 1.0)
    positive = METRICS[metric].scale == "log" and low > 0
    levels = np.geomspace(low, high, 120) if positive else np.linspace(low, high, 120)
    bands = {label: performance_profile(v, levels) for label, v in values.items()}
    return learner_comparison.profile_figure(bands, levels, metric, run.roles)


def _describe_diverged(run: Run, view_state: ViewState) -> str:
    counts = {}
    for label in run.roles:
        gone = run.table.test_values(label, "diverged", view_state.condition)
        if gone is not None and gone.sum():
            counts[label] = f"{learner_name(label)} {int(gone.sum())} of {gone.size}"
    return escape_markdown(f"Diverged: {', '.join(counts.values()) or 'none'}.")


def _draw_training(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    left, right = st.columns(2, gap="large")
    trained = training.meta_training_chart(run)
    with left:
        if trained is None:
            page_elements.draw_empty(
                "Nothing was meta-trained",
                f"Choose a {run.kind.words.learner.lower()} that is meta-trained.",
            )
        else:
            page_elements.draw_chart(trained, "meta_training")
    with right:
        for name, made in (
            ("tuning", training.tuning_chart(run)),
            ("scales", optimization.scale_chart(run, view_state)),
        ):
            if made is not None:
                page_elements.draw_chart(made, name)
    task_films.draw_insides(run)


def _draw_shifts(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    names = [m for m in run.kind.metrics.by_severity if _is_measured(run, m)]
    if not names:
        page_elements.draw_empty(
            "No severity is tested yet", "The curve appears with the tests."
        )
        return
    metric = metric_select(names, "severity_metric")
    found = optimization.severity_curves(run, metric)
    if not found:
        page_elements.draw_empty(
            "No severity is tested yet", "The curve appears with the tests."
        )
        return
    page_elements.draw_chart(severity_figure(found, metric, run.roles), "severity")


def _is_measured(run: Run, metric: str) -> bool:
    """Whether any learner has this metric on the in-distribution tests."""
    return any(run.table.test_values(label, metric) is not None for label in run.roles)


def _draw_space(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    views = VIEWS[run.kind.name].space_views
    shown = st.segmented_control(
        "View",
        list(views),
        default=next(iter(views)),
        key="space_view",
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    views[str(shown)](run)


def _draw_diagnosis(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
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


def _draw_cost(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    for sentence in (run.summary or {}).get("shared", ()):
        st.caption(escape_markdown(sentence))
    VIEWS[run.kind.name].draw_cost(run, titles)


def _draw_table(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    VIEWS[run.kind.name].draw_table(run, titles)


def _draw_published(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    run_tables.draw_published(run, titles)


def _draw_reproduction(
    run: Run, view_state: ViewState, titles: Mapping[str, str]
) -> None:
    exports.draw_reproduction(run)


DrawTab = Callable[[Run, ViewState, Mapping[str, str]], None]
_DRAW: dict[str, DrawTab] = {
    "Claims": _draw_claims,
    "Per task": _draw_per_task,
    "Training": _draw_training,
    "Shifts": _draw_shifts,
    "Search space": _draw_space,
    "Diagnosis": _draw_diagnosis,
    "Cost": _draw_cost,
    "Table": _draw_table,
    "Published": _draw_published,
    "Reproduce": _draw_reproduction,
}


def _has_summary(run: Run) -> bool:
    return run.summary is not None


_FITS: dict[str, Callable[[Run], bool]] = {
    "Claims": _has_summary,
    "Per task": lambda run: bool(optimization.run_conditions(run)),
    "Training": lambda run: bool(run.blocks),
    "Shifts": lambda run: any(c.shift for c in optimization.run_conditions(run)),
    "Search space": lambda run: bool(VIEWS[run.kind.name].space_views),
    "Diagnosis": _has_summary,
    "Cost": _has_summary,
    "Table": _has_summary,
    "Published": lambda run: _has_summary(run) and run_tables.has_published(run),
    "Reproduce": lambda run: True,
}
