"""Below the main pictures: one tab a question, drawn when it is opened."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from app.charts import optimization, training
from app.charts.figure_cache import kept
from app.charts.view_state import Look
from app.client.client import Run
from app.figures import comparison
from app.figures.comparison import forest_figure, spread_figure
from app.figures.shift import severity_figure
from app.figures.theme import learner_name
from app.views.run import exports, films
from app.views.run import tables as run_tables
from app.views.run.kind_view import VIEWS
from app.widgets import panels
from app.widgets.escaping import plain
from app.widgets.metric_select import metric_select
from engine.contract.metrics import METRICS
from engine.stats.inference.profiles import profile

MANY_CLAIMS = 14  # more than this a learner, and only those that decide are drawn


def tabs(run: Run, look: Look, titles: Mapping[str, str]) -> None:
    """Draw the tabs; only the open one is computed."""
    names = [name for name, fits in _FITS.items() if fits(run)]
    made = st.tabs(names, key="tab", bind="query-params")
    for name, tab in zip(names, made, strict=True):
        if tab.open:
            with tab:
                _DRAW[name](run, look, titles)


def _claims(run: Run, look: Look, titles: Mapping[str, str]) -> None:
    claims: list[dict[str, Any]] = (run.summary or {}).get("claims", [])
    groups = dict.fromkeys((c["learner"], c["metric"]) for c in claims)
    if not groups:
        panels.empty("Nothing is claimed", "Turn a baseline on and run again.")
    every = len(claims) <= MANY_CLAIMS * len(groups) or st.toggle(
        "Every baseline everywhere",
        key="every_claim",
        bind="query-params",
        help="Off: all baselines in place, elsewhere the one that decides.",
    )
    for learner, metric in groups:
        mine = [c for c in claims if (c["learner"], c["metric"]) == (learner, metric)]
        shown = mine if every else [c for c in mine if c["primary"] or _here(c)]
        name = ("forest", run.edition, learner, metric, every)
        made = kept(name, lambda shown=shown: forest_figure(shown, run.roles))
        panels.chart(training.said(run, made), f"forest.{learner}.{metric}")


def _here(claim: Mapping[str, Any]) -> bool:
    where = claim["condition"]
    return not (where["family"] or where["shift"])


def _per_task(run: Run, look: Look, titles: Mapping[str, str]) -> None:
    names = [m for m in run.kind.metrics.per_task if _values(run, m, look)]
    if not names:
        panels.empty("No test yet", "Each task's own number appears with the tests.")
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        metric = metric_select(names, "per_task_metric")
        paired = st.toggle("Join each task's dots", key="paired", bind="query-params")
    values = _values(run, metric, look)
    left, right = st.columns(2, gap="large")
    with left:
        made = spread_figure(values, metric, run.roles, paired=paired)
        panels.chart(made, "spread")
    with right:
        made = _profile(values, metric, run)
        panels.chart(made, "profile")
    st.caption(_diverged(run, look))


def _values(run: Run, metric: str, look: Look) -> dict[str, np.ndarray]:
    found = {
        label: run.table.tests(label, metric, look.condition) for label in run.roles
    }
    return {label: values for label, values in found.items() if values is not None}


def _profile(values: dict[str, np.ndarray], metric: str, run: Run) -> Any:
    every = np.concatenate([v.ravel() for v in values.values()])
    every = every[np.isfinite(every)]
    low, high = (every.min(), every.max()) if len(every) else (0.0, 1.0)
    positive = METRICS[metric].scale == "log" and low > 0
    levels = np.geomspace(low, high, 120) if positive else np.linspace(low, high, 120)
    bands = {label: profile(v, levels) for label, v in values.items()}
    return comparison.profile_figure(bands, levels, metric, run.roles)


def _diverged(run: Run, look: Look) -> str:
    counts = {}
    for label in run.roles:
        gone = run.table.tests(label, "diverged", look.condition)
        if gone is not None and gone.sum():
            counts[label] = f"{learner_name(label)} {int(gone.sum())} of {gone.size}"
    return plain(f"Diverged: {', '.join(counts.values()) or 'none'}.")


def _training(run: Run, look: Look, titles: Mapping[str, str]) -> None:
    left, right = st.columns(2, gap="large")
    trained = training.meta_training(run)
    with left:
        if trained is None:
            panels.empty(
                "Nothing was meta-trained",
                f"Choose a {run.kind.words.learner.lower()} that is.",
            )
        else:
            panels.chart(trained, "meta_training")
    with right:
        for name, made in (
            ("tuning", training.tuning(run)),
            ("scales", optimization.scales(run, look)),
        ):
            if made is not None:
                panels.chart(made, name)
    films.insides(run)


def _shifts(run: Run, look: Look, titles: Mapping[str, str]) -> None:
    names = [m for m in run.kind.metrics.by_severity if _anywhere(run, m)]
    if not names:
        panels.empty("No severity is tested yet", "The curve appears with the tests.")
        return
    metric = metric_select(names, "severity_metric")
    found = optimization.severities(run, metric)
    if not found:
        panels.empty("No severity is tested yet", "The curve appears with the tests.")
        return
    panels.chart(severity_figure(found, metric, run.roles), "severity")


def _anywhere(run: Run, metric: str) -> bool:
    """Whether any learner has this number of the tests in place."""
    return any(run.table.tests(label, metric) is not None for label in run.roles)


def _diagnosis(run: Run, look: Look, titles: Mapping[str, str]) -> None:
    findings: list[dict[str, Any]] = (run.summary or {}).get("diagnosis", [])
    flagged = [f for f in findings if f["flagged"]]
    st.markdown(f"**{len(flagged)} of {len(findings)} checks found something.**")
    for finding in flagged:
        _finding(finding)
    clear = [f for f in findings if not f["flagged"]]
    if clear:
        with st.expander(f"{len(clear)} checks are clear"):
            for finding in clear:
                _finding(finding)


def _finding(finding: Mapping[str, Any]) -> None:
    raised = finding["flagged"]
    who = f" · {learner_name(finding['learner'])}" if finding.get("learner") else ""
    with st.container(border=raised, gap="xsmall"):
        with st.container(horizontal=True, vertical_alignment="center"):
            if raised:
                st.badge("found", icon=":material/flag:", color="orange")
            else:
                st.badge("clear", icon=":material/check:", color="green")
            st.markdown(f"**{plain(finding['name'])}**{plain(who)}", width="content")
        st.markdown(plain(finding["evidence"]))
        if raised and finding.get("remedy"):
            st.markdown(f"→ {plain(finding['remedy'])}")


def _cost(run: Run, look: Look, titles: Mapping[str, str]) -> None:
    for sentence in (run.summary or {}).get("shared", ()):
        st.caption(plain(sentence))
    VIEWS[run.kind.name].cost(run, titles)


def _table(run: Run, look: Look, titles: Mapping[str, str]) -> None:
    VIEWS[run.kind.name].table(run, titles)


def _published(run: Run, look: Look, titles: Mapping[str, str]) -> None:
    run_tables.published(run, titles)


def _reproduce(run: Run, look: Look, titles: Mapping[str, str]) -> None:
    exports.reproduce(run)


Drawer = Callable[[Run, Look, Mapping[str, str]], None]
_DRAW: dict[str, Drawer] = {
    "Claims": _claims,
    "Per task": _per_task,
    "Training": _training,
    "Shifts": _shifts,
    "Diagnosis": _diagnosis,
    "Cost": _cost,
    "Table": _table,
    "Published": _published,
    "Reproduce": _reproduce,
}


def _summarized(run: Run) -> bool:
    return run.summary is not None


_FITS: dict[str, Callable[[Run], bool]] = {
    "Claims": _summarized,
    "Per task": lambda run: bool(optimization.conditions(run)),
    "Training": lambda run: bool(run.blocks),
    "Shifts": lambda run: any(c.shift for c in optimization.conditions(run)),
    "Diagnosis": _summarized,
    "Cost": _summarized,
    "Table": _summarized,
    "Published": lambda run: _summarized(run) and run_tables.has_published(run),
    "Reproduce": lambda run: True,
}
