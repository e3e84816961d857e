"""The tabs below the charts, and their sections; only the open one is computed.

A section is a module with `draw_section`, which is imported when it is first opened.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import NamedTuple

import streamlit as st

from app.charts import optimization
from app.charts.chart_options import ViewState
from app.client.client import Run
from app.views.run import run_tables
from app.views.run.kind_view import VIEWS

Modules = Mapping[str, str]  # a section's module within `app.views`, by title


class Tab(NamedTuple):
    """A tab.

    Args:
        key: Remembers, in the session and in the link, which section is open.
        sections: Returns the sections that a run has; of none there is no tab.
    """

    key: str
    sections: Callable[[Run], Modules]


def _evidence_sections(run: Run) -> Modules:
    found = {"Claims": "run.evidence.claims", "Table": "run.evidence.table"}
    found = found if run.summary is not None else {}
    if optimization.run_conditions(run):
        found["Per task"] = "run.evidence.per_task"
    if run.summary is not None and run_tables.has_published(run):
        found["Published"] = "run.evidence.published"
    return found


def _robustness_sections(run: Run) -> Modules:
    if run.summary is None and not optimization.run_conditions(run):
        return {}
    return {
        "Shifts": "run.robustness.shifts",
        "Other families": "run.robustness.families",
        "Use this learner": "run.robustness.frozen_start",
    }


def _training_sections(run: Run) -> Modules:
    found = {"Meta-training": "run.training.meta_training"} if run.blocks else {}
    if run.summary is not None:
        found["Diagnosis"] = "run.training.diagnosis"
        found["Cost"] = "run.training.cost"
    return found


def _space_sections(run: Run) -> Modules:
    return VIEWS[run.kind.name].space_views


def _reproduce_sections(run: Run) -> Modules:
    return {"": "run.reproduce.section"}


TABS = {
    "Evidence": Tab("evidence", _evidence_sections),
    "Robustness": Tab("robustness", _robustness_sections),
    "Training": Tab("training", _training_sections),
    "Search space": Tab("space_view", _space_sections),
    "Reproduce": Tab("", _reproduce_sections),
}


def draw_tabs(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw the tabs that a run has, and the open section of the open tab."""
    found = {name: tab.sections(run) for name, tab in TABS.items()}
    names = [name for name, sections in found.items() if sections]
    for name, tab in zip(
        names, st.tabs(names, key="tab", bind="query-params"), strict=True
    ):
        if tab.open:
            with tab:
                module = _choose_section(TABS[name].key, found[name])
                opened = importlib.import_module(f"app.views.{module}")
                opened.draw_section(run, view_state, titles)


def _choose_section(key: str, sections: Modules) -> str:
    """Let the user choose a section, where there are several; return its module."""
    titles = list(sections)
    if len(titles) == 1:
        return sections[titles[0]]
    shown = st.segmented_control(
        "Section",
        titles,
        default=titles[0],
        key=key,
        bind="query-params",
        required=True,
        label_visibility="collapsed",
    )
    # A link may name a section that this run does not have.
    return sections.get(str(shown), sections[titles[0]])
