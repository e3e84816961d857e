"""How a few-shot run is viewed: answers, inner steps and the price of both."""

from collections.abc import Mapping

import streamlit as st

from app.charts import few_shot, training
from app.charts.view_state import Look
from app.client.client import Run
from app.figures.comparison import ledger_figure
from app.views.run import films
from app.views.run import tables as run_tables
from app.views.run.kind_view import VIEWS, KindView
from app.widgets import panels, tables
from engine.contract.blocks import Condition
from engine.contract.kinds import FEW_SHOT

_PANELS = {"answers": few_shot.ANSWERS, "inside": few_shot.INSIDE}


def _options(run: Run, condition: Condition) -> Look:
    shown = st.segmented_control(
        "Pictures",
        list(_PANELS),
        default="answers",
        format_func={"answers": "Answers", "inside": "Adaptation"}.get,
        key="few_shot_curves",
        bind="query-params",
        required=True,
        help="What is answered, or what the inner steps do to weights and losses.",
    )
    metrics = _PANELS.get(str(shown), few_shot.ANSWERS)
    shares = training.classes(run) and metrics is few_shot.ANSWERS
    log = not shares and st.toggle("Log", value=True, key="log", bind="query-params")
    return Look(condition=condition, metrics=metrics, log=log)


def _cost(run: Run, titles: Mapping[str, str]) -> None:
    ledger = (run.summary or {}).get("ledger", {})
    panels.chart(ledger_figure(ledger, run.roles), "ledger")
    tables.draw(
        run_tables.costs(run, titles),
        alt="What each learner answers in place, and what it took",
    )


VIEWS[FEW_SHOT.name] = KindView(
    options=_options,
    film=films.film,
    cost=_cost,
    table=run_tables.table,
    ours=run_tables.answered,
    protocol=run_tables.protocol,
)
