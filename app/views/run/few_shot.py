"""The view of a few-shot run: options, films, cost and tables."""

import math
from collections.abc import Iterator, Mapping

import streamlit as st

from app.charts import few_shot, training
from app.charts.chart_options import ViewState
from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures.cost_bars import ledger_figure
from app.views.run import run_tables, task_films
from app.views.run.kind_view import VIEWS, KindView, OwnResult
from app.widgets import page_elements, tables
from engine.contract.events import Condition
from engine.contract.kinds import FEW_SHOT
from engine.stats.block_table import is_trained
from engine.stats.independent_units import regroup_units
from engine.stats.inference.metric_intervals import metric_band

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
    made = get_or_make(
        ("ledger", run.cache_key), lambda: ledger_figure(ledger, run.roles)
    )
    page_elements.draw_chart(made, "ledger")
    tables.draw_table(
        run_tables.cost_rows(run, titles),
        alt="In-distribution score and cost by learner",
    )


def _own_results(run: Run, titles: Mapping[str, str]) -> list[OwnResult]:
    """Return each learner's score, and where classes come one by one how it grows."""
    found = [
        result
        for entry in run.spec.learners
        for result in _presentation_results(run, entry.label, entry.name)
    ]
    return [*run_tables.answer_results(run, titles), *found]


def _presentation_results(run: Run, label: str, part: str) -> Iterator[OwnResult]:
    metric = "presentation_accuracy"
    axes = ("replicate", "task", "presentation")
    values = run.table.test_values(label, metric, axes=axes)
    if values is None:
        return
    trained = is_trained(run.table, run.spec, label)
    band = metric_band(metric, regroup_units(values, trained))
    each = zip(band.mean, band.low, band.high, strict=True)
    for k, (mean, low, high) in enumerate(each, 1):
        if not math.isnan(mean):  # in short episodes no class comes so often
            span = "" if math.isnan(low) else f" [{100 * low:.1f}, {100 * high:.1f}]"
            yield OwnResult(label, part, f"{100 * mean:.1f}{span}", k)


VIEWS[FEW_SHOT.name] = KindView(
    draw_options=_draw_options,
    draw_film=task_films.draw_film,
    draw_cost=_draw_cost,
    draw_table=run_tables.draw_comparison_table,
    own_results=_own_results,
    protocol=run_tables.describe_protocol,
)
