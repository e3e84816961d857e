"""The view of a run of agents: options, films, cost and tables."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from app.charts import CHARTS, rl
from app.charts.chart_options import ViewState
from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures.cost_bars import ledger_figure
from app.results.score_rows import format_interval
from app.views.run import run_tables, trial_films
from app.views.run.evidence import score_table
from app.views.run.kind_view import VIEWS, KindView, OwnResult
from app.widgets import page_elements, tables
from engine.contract.events import Condition
from engine.contract.kinds import RL
from engine.stats.verdicts.wording import learner_names

_PANELS = {"earned": rl.EARNED, "behavior": rl.BEHAVIOR}


def _draw_options(run: Run, condition: Condition) -> ViewState:
    shown = st.segmented_control(
        "Pictures",
        list(_PANELS),
        default="earned",
        format_func={"earned": "Return", "behavior": "Behavior"}.get,
        key="rl_curves",
        bind="query-params",
        required=True,
        help="What agents earn, or how they act.",
    )
    window = rl.smoothed_episodes(run)
    smooth = window > 1 and st.toggle(
        f"Average over {window} episodes",
        value=True,
        key="rl_smooth",
        bind="query-params",
        help="A moving average; the faint line is as measured.",
    )
    metrics = _PANELS.get(str(shown), rl.EARNED)
    return ViewState(condition=condition, metrics=metrics, smooth=float(smooth))


def _draw_cost(run: Run, titles: Mapping[str, str]) -> None:
    ledger = (run.summary or {}).get("ledger", {})
    made = get_or_make(
        ("ledger", run.cache_key),
        lambda: ledger_figure(ledger, run.roles, CHARTS[RL.name].spent),
    )
    page_elements.draw_chart(made, "ledger")
    tables.draw_table(cost_rows(run, titles), alt="Episodes and steps by agent")


def cost_rows(run: Run, titles: Mapping[str, str]) -> list[dict[str, str]]:
    """Return what each agent earned, and the episodes and steps that it played."""
    names, tested = learner_names(run.spec, titles), _test_summaries(run)
    ledger = (run.summary or {}).get("ledger", {})
    return [
        {
            "Agent": names[label],
            "Regret": _format_score(tested, label, "trial_regret"),
            **run_tables.spent_by_phase(spent),
            "Steps of a test trial": _format_score(tested, label, "interactions"),
        }
        for label, spent in ledger.items()
    ]


def _test_summaries(run: Run) -> Mapping[str, Mapping[str, Any]]:
    """Return the summary of each agent in distribution."""
    first, *_ = (run.summary or {}).get("conditions") or [{}]
    found: Mapping[str, Mapping[str, Any]] = first.get("learners", {})
    return found


def _format_score(
    tested: Mapping[str, Mapping[str, Any]], label: str, metric: str
) -> str:
    score = tested.get(label, {}).get(metric)
    return format_interval(score) if score else "–"


def _own_results(run: Run, titles: Mapping[str, str]) -> list[OwnResult]:
    """Return each agent's mean return of a trial, as papers print it."""
    names, tested = learner_names(run.spec, titles), _test_summaries(run)
    return [
        OwnResult(
            names[entry.label],
            entry.name,
            f"{_format_score(tested, entry.label, 'trial_return')} reward",
        )
        for entry in run.spec.learners
    ]


def _protocol(run: Run) -> dict[str, object]:
    """Return this run's protocol, as far as published returns depend on it."""
    budget = run.spec.budget
    return {
        "episodes per trial": budget.horizon,
        "net": run.spec.net.name,
        "trainings": run.replicates,
        "trials of each training": f"{budget.task_evaluations:,}",
        "trials per meta-step": f"{budget.tasks_per_step:,}",
        "test trials of each training": f"{budget.test_tasks:,}",
        "[…]": "95 % interval over trainings",
    }


VIEWS[RL.name] = KindView(
    draw_options=_draw_options,
    draw_film=trial_films.draw_trial_film,
    draw_cost=_draw_cost,
    draw_table=score_table.draw_score_table,
    own_results=_own_results,
    protocol=_protocol,
)
