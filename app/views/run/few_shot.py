"""The view of a few-shot run: options, films, cost and tables."""

from collections.abc import Mapping

import streamlit as st

from app.charts import few_shot, training
from app.charts.chart_options import ViewState
from app.client.client import Run
from app.figures.cost_bars import ledger_figure
from app.views.run import run_tables, task_films
from app.views.run.kind_view import VIEWS, KindView
from app.widgets import page_elements, tables
from engine.contract.events import Condition
from engine.contract.kinds import FEW_SHOT

_PANELS = {"answers": few_shot.ANSWERS, "inside": few_shot.INSIDE}


def _draw_options(run: Run, condition: Condition) -> ViewState:
    shown = st.segmented_control(
        "Pictures",
        list(_PANELS),
        default="answers",
        format_func={"answers": "Answers", "inside": "Adaptation"}.get,
        key="few_shot_curves",
        bind="query-params",
        required=True,
        help="Performance on queries, or how inner steps change weights and losses.",
    )
    metrics = _PANELS.get(str(shown), few_shot.ANSWERS)
    shares = training.has_class_answers(run) and metrics is few_shot.ANSWERS
    log = not shares and st.toggle("Log", value=True, key="log", bind="query-params")
    return ViewState(condition=condition, metrics=metrics, log=log)


def _draw_cost(run: Run, titles: Mapping[str, str]) -> None:
    ledger = (run.summary or {}).get("ledger", {})
    page_elements.draw_chart(ledger_figure(ledger, run.roles), "ledger")
    tables.draw_table(
        run_tables.cost_rows(run, titles),
        alt="In-distribution score and cost by learner",
    )


VIEWS[FEW_SHOT.name] = KindView(
    draw_options=_draw_options,
    draw_films=task_films.draw_films,
    draw_cost=_draw_cost,
    draw_table=run_tables.draw_comparison_table,
    own_results=run_tables.answer_results,
    protocol=run_tables.describe_protocol,
)
