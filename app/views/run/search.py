"""The view of a search run: options, films, cost, tables and published figures."""

from collections.abc import Mapping

import numpy as np
import streamlit as st

from app.charts import CHARTS, search
from app.charts.chart_options import ViewState
from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures.cost_bars import ledger_figure
from app.figures.figure_types import Floats
from app.figures.theme import format_number, learner_name
from app.views.run import run_tables, search_films
from app.views.run.evidence import score_table
from app.views.run.kind_view import VIEWS, KindView, OwnResult
from app.widgets import page_elements, tables
from engine.contract.events import Condition
from engine.contract.kinds import SEARCH
from engine.stats.block_table import is_control
from engine.stats.verdicts.wording import learner_names


def _draw_options(run: Run, condition: Condition) -> ViewState:
    inside = search.available_metrics(run, search.STRATEGY)
    shown = "found"
    if inside:
        shown = st.segmented_control(
            "Pictures",
            ["found", "strategy"],
            default="found",
            format_func={"found": "What is found", "strategy": "Strategy"}.get,
            key="search_curves",
            bind="query-params",
            required=True,
            help="How good the architectures are, or the strategy's internal state.",
        )
    x = st.segmented_control(
        "Against",
        ["evaluations", "price"],
        default="evaluations",
        format_func=str.capitalize,
        key="search_against",
        bind="query-params",
        required=True,
        help="An evaluation trains one architecture; its price is the cost of that, in "
        "the space's own unit.",
    )
    log = st.toggle("Log", value=True, key="log", bind="query-params")
    metrics = (
        inside if shown == "strategy" else search.available_metrics(run, search.FOUND)
    )
    return ViewState(condition=condition, metrics=metrics, log=log, x=str(x))


def _draw_cost(run: Run, titles: Mapping[str, str]) -> None:
    """Draw how many architectures were trained, and the strategies' own time."""
    ledger = (run.summary or {}).get("ledger", {})
    made = get_or_make(
        ("ledger", run.cache_key),
        lambda: ledger_figure(ledger, run.roles, CHARTS[SEARCH.name].spent),
    )
    page_elements.draw_chart(made, "ledger")
    tables.draw_table(
        [_cost_row(run, label, spent) for label, spent in ledger.items()],
        alt="Architectures trained for tuning, training and testing, by strategy",
    )


def _cost_row(run: Run, label: str, spent: Mapping[str, int]) -> dict[str, str]:
    took = sum(t.seconds for t in run.timings if t.learner == label)
    count = sum(spent.get(phase, 0) for phase in run_tables.PHASES)
    return {
        "Strategy": learner_name(label),
        **run_tables.spent_by_phase(spent),
        # max(1, …): a learner may have trained nothing.
        "Own time (ms per architecture)": format_number(1000 * took / max(1, count)),
    }


def _own_results(run: Run, titles: Mapping[str, str]) -> list[OwnResult]:
    """Return each strategy's final accuracy, mean ± sd over searches as in papers."""
    table, names = run.table, learner_names(run.spec, titles)
    found = []
    for entry in run.spec.learners:
        score = table.test_values(entry.label, "final_score")
        if score is not None:
            part = "" if is_control(entry) else entry.name
            found.append(
                OwnResult(names[entry.label], part, _format_search_scores(score))
            )
    return found


def _format_search_scores(score: Floats) -> str:
    """Return mean ± sd in percent, and how many searches found nothing."""
    known = 100.0 * score[np.isfinite(score)]
    lost = score.size - known.size
    if not known.size:
        return "–"
    mean, sd = map(run_tables.format_hundredths, (known.mean(), known.std()))
    text = f"{mean} ± {sd} %"
    return f"{text} · {lost} found nothing" if lost else text


def _search_protocol(run: Run) -> dict[str, object]:
    knobs, budget = run.spec.family.knobs, run.spec.budget
    seconds = float(knobs.get("seconds", 0.0))
    return {
        "searched on": knobs.get("target", ""),
        "signal": f"validation accuracy after {knobs.get('epochs')} epochs",
        "budget of a search": f"{seconds:,.0f} s of training"
        if seconds
        else "no limit",
        "max. architectures": f"{budget.horizon:,}",
        "±": f"sd over {run.replicates * budget.test_tasks:,} searches",
    }


VIEWS[SEARCH.name] = KindView(
    draw_options=_draw_options,
    draw_film=search_films.draw_search_film,
    draw_cost=_draw_cost,
    draw_table=score_table.draw_score_table,
    own_results=_own_results,
    protocol=_search_protocol,
    space_views={
        "Sphere": "space.sphere",
        "Knowledge": "space.knowledge",
        "One search": "space.one_search",
    },
)
