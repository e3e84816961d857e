"""Two to eight runs compared: curves in one chart, numbers in one table."""

from collections.abc import Collection, Sequence

import streamlit as st

from app.charts import CHARTS, training
from app.client import client
from app.figures.curves import curves_figure
from app.figures.figure_types import CurveOptions
from app.figures.theme import format_number
from app.views import runs as runs_view
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_html
from app.widgets.metric_select import metric_select
from engine.contract.metrics import METRICS
from engine.stats.block_table import IN_DISTRIBUTION, is_trained
from engine.stats.independent_units import regroup_units
from engine.stats.inference.metric_intervals import metric_interval

MAX_RUNS = 8


def draw_comparison(keys: Sequence[str]) -> None:
    """Draw the chosen learner of each run in one chart, and a table."""
    if len(keys) < 2:
        return
    if len(keys) > MAX_RUNS:
        st.info(f"At most {MAX_RUNS} runs are compared at once, not {len(keys)}.")
        return
    st.header("Side by side", anchor=False)
    runs = {}
    for key in keys:
        run = client.run(key)
        if run.job is not None:
            runs[runs_view.run_label(run.job, run)] = run
    if not runs:
        return
    kinds = {run.kind.name: run.kind for run in runs.values()}
    metrics = list(
        dict.fromkeys(m for kind in kinds.values() for m in kind.metrics.curves)
    )
    there = {block.metric for run in runs.values() for block in run.blocks}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        shown = [m for m in metrics if m in there] or metrics
        metric = metric_select(shown, "compare_metric")
    _warn_of_differences(list(runs.values()))
    _draw_overlay(runs, metric)
    numbers = {m for kind in kinds.values() for m in kind.metrics.numbers if m in there}
    _draw_numbers(runs, numbers)


def _warn_of_differences(runs: list[client.Run]) -> None:
    """Warn when the runs differ in tasks, seed, net or horizon."""
    grounds = {
        "task family": {r.spec.family.model_dump_json() for r in runs},
        "seed": {str(r.spec.seed) for r in runs},
        "net": {r.spec.net.model_dump_json() for r in runs},
        "horizon": {str(r.spec.budget.horizon) for r in runs},
    }
    differing = [name for name, values in grounds.items() if len(values) > 1]
    if differing:
        st.warning(
            f"These runs differ in {', '.join(differing)}: they did not see the same "
            "tasks, so part of any difference may come from the tasks."
        )


def _draw_overlay(runs: dict[str, client.Run], metric: str) -> None:
    lines = []
    for label, run in runs.items():
        found = [
            block
            for block in run.blocks
            if block.learner == run.judged_label
            and (block.phase, block.metric) == ("test", metric)
            and block.condition == IN_DISTRIBUTION
        ]
        # Plotly interprets some HTML tags in legend texts.
        drawn = (CHARTS[run.kind.name].line(run, block) for block in found)
        lines += [line._replace(learner=escape_html(label)) for line in drawn if line]
    if not lines:
        page_elements.draw_empty(
            "No curves to compare", "These runs have no tests of this metric."
        )
        return
    roles = dict.fromkeys(map(escape_html, runs), "chosen")
    named = {run.kind.words.step for run in runs.values()}
    view = CurveOptions(height=320, x_title=named.pop() if len(named) == 1 else "Step")
    made = curves_figure(training.extend_points(lines), metric, roles, view)
    page_elements.draw_chart(made, "compare")


def _draw_numbers(runs: dict[str, client.Run], shown: Collection[str]) -> None:
    rows = []
    for label, run in runs.items():
        table = run.table
        row = {"Run": label, "Task": run.spec.family.name, "n": run.replicates}
        for metric in (name for name in METRICS if name in shown):
            values = table.test_values(run.judged_label, metric)
            if values is not None and table.criterion.pools:
                trained = is_trained(table, run.spec, run.judged_label)
                values = regroup_units(values, trained=trained)
            row[METRICS[metric].label] = (
                "–" if values is None else _format_level(metric, values)
            )
        rows.append(row)
    tables.draw_table(rows, alt="The chosen learners' numbers, in distribution")


def _format_level(metric: str, values: object) -> str:
    found = metric_interval(metric, values)  # type: ignore[arg-type]
    return (
        f"{format_number(found.mean)} [{format_number(found.low)}, "
        f"{format_number(found.high)}]"
    )
