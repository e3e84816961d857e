"""The view of an optimization run: options, films, cost and tables."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.charts.chart_options import ViewState
from app.charts.figure_cache import get_or_make
from app.charts.optimization import SURVIVAL
from app.client.client import Run
from app.figures.cost_bars import ledger_figure
from app.figures.theme import format_with_range, learner_name
from app.views.run import run_tables, task_films
from app.views.run.evidence import score_table
from app.views.run.kind_view import VIEWS, KindView
from app.widgets import page_elements, tables
from engine.contract.events import Condition
from engine.contract.kinds import OPTIMIZATION

HELD_OUT = "held_log_loss"  # decides where learners are judged on held-out examples
_X = {"step": "Step", "gradients": "Gradients, tuning included", "seconds": "Wall time"}
_PANELS = {
    "loss": ("loss", "lr_scale", SURVIVAL, "grad_norm", "weight_norm", "update_norm"),
    "held-out": ("held_loss", "lr_scale", "accuracy", SURVIVAL, "update_norm"),
}


def _draw_options(run: Run, condition: Condition) -> ViewState:
    shown = st.segmented_control(
        "Curves",
        list(_PANELS),
        default=_judged_panel(run),
        format_func={"loss": "Training", "held-out": "Held-out"}.get,
        key="curves",
        bind="query-params",
        required=True,
    )
    x = st.segmented_control(
        "Against",
        list(_X),
        default="step",
        format_func={
            "step": "Steps",
            "gradients": "Gradients",
            "seconds": "Seconds",
        }.get,
        key="against",
        bind="query-params",
        required=True,
        help="Gradients includes tuning and meta-training, spread over the test "
        "tasks. Seconds is the wall time of this learner's tests on the machine "
        "of the run, divided by tasks and steps, since they run as one batch. "
        "It excludes tuning and meta-training.",
    )
    log = st.toggle("Log", value=True, key="log", bind="query-params")
    smooth = st.slider(
        "Smoothing",
        0.0,
        0.95,
        0.0,
        0.05,
        key="smooth",
        bind="query-params",
        width=150,
        help="Running mean; the raw curve stays faintly visible.",
    )
    return ViewState(
        condition=condition,
        metrics=_PANELS.get(str(shown), _PANELS[_judged_panel(run)]),
        log=log,
        smooth=float(smooth),
        x=str(x) if x in _X else "step",
    )


def _judged_panel(run: Run) -> str:
    """Return the panel whose first chart shows what the verdict is about."""
    return "held-out" if run.table.criterion.deciding == HELD_OUT else "loss"


def _draw_cost(run: Run, titles: Mapping[str, str]) -> None:
    summary = run.summary or {}
    ledger = summary.get("ledger", {})
    made = get_or_make(
        ("ledger", run.cache_key), lambda: ledger_figure(ledger, run.roles)
    )
    page_elements.draw_chart(made, "ledger")
    rows = [
        {
            "Learner": learner_name(label),
            "Learning rate": describe_rate(summary, label),
            **run_tables.spent_by_phase(spent),
        }
        for label, spent in ledger.items()
    ]
    tables.draw_table(
        rows,
        alt="Gradient evaluations for tuning, training and testing, by learner",
    )
    st.caption(
        "Learning rate: where each replicate tuned its own, the geometric mean (lowest "
        "to highest)."
    )


def describe_rate(summary: Mapping[str, Any], label: str) -> str:
    """Return a learner's learning rate, a dash if it has none.

    Of rates that replicates tuned for themselves: geometric mean, lowest and highest.

    Args:
        summary: The run's summary; of 0.3.0, it has no `tuned_rates`.
        label: The learner.

    >>> tuned = {"rates": {"sgd": 0.2}, "tuned_rates": {"sgd": [0.1, 0.4]}}
    >>> describe_rate(tuned, "sgd"), describe_rate({"rates": {"sgd": 0.2}}, "sgd")
    ('0.2 (0.1 to 0.4)', '0.2')
    """
    rate = summary.get("rates", {}).get(label)
    if rate is None:
        return "–"
    tuned = summary.get("tuned_rates", {}).get(label) or [rate]
    return format_with_range(rate, min(tuned), max(tuned))


VIEWS[OPTIMIZATION.name] = KindView(
    draw_options=_draw_options,
    draw_film=task_films.draw_film,
    draw_cost=_draw_cost,
    draw_table=score_table.draw_score_table,
    own_results=run_tables.answer_results,
    protocol=run_tables.describe_protocol,
)
