"""Two to eight runs side by side: curves on one picture, numbers in one table."""

from collections.abc import Collection, Sequence

import streamlit as st

from app.charts import CHARTS, training
from app.client import client
from app.figures.curves import curves_figure
from app.figures.figure_types import View
from app.figures.theme import number
from app.views import runs as runs_view
from app.widgets import panels, tables
from app.widgets.escaping import inert
from app.widgets.metric_select import metric_select
from engine.contract.metrics import METRICS
from engine.stats.block_table import HERE, is_trained
from engine.stats.independent_units import freed
from engine.stats.inference.metric_levels import level

MOST = 8


def compare(keys: Sequence[str]) -> None:
    """Draw the chosen learner of each run on one picture, and a table."""
    if len(keys) < 2:
        return
    if len(keys) > MOST:
        st.info(f"At most {MOST} runs are compared at once, not {len(keys)}.")
        return
    st.header("Side by side", anchor=False)
    runs = {}
    for key in keys:
        run = client.run(key)
        if run.job is not None:
            runs[runs_view.label(run.job, run)] = run
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
    _note(list(runs.values()))
    _overlay(runs, metric)
    numbers = {m for kind in kinds.values() for m in kind.metrics.numbers if m in there}
    _numbers(runs, numbers)


def _note(runs: list[client.Run]) -> None:
    """Say when the runs do not stand on the same ground."""
    grounds = {
        "task family": {r.spec.family.model_dump_json() for r in runs},
        "seed": {str(r.spec.seed) for r in runs},
        "net": {r.spec.net.model_dump_json() for r in runs},
        "horizon": {str(r.spec.budget.horizon) for r in runs},
    }
    differing = [name for name, values in grounds.items() if len(values) > 1]
    if differing:
        st.warning(
            f"These runs differ in {', '.join(differing)}: they did not meet the same "
            "tasks, so a difference between the curves is not the learners' alone."
        )


def _overlay(runs: dict[str, client.Run], metric: str) -> None:
    lines = []
    for label, run in runs.items():
        found = [
            block
            for block in run.blocks
            if block.learner == run.chosen
            and (block.phase, block.metric) == ("test", metric)
            and block.condition == HERE
        ]
        # Plotly reads a little HTML of its own.
        drawn = (CHARTS[run.kind.name].line(run, block) for block in found)
        lines += [line._replace(learner=inert(label)) for line in drawn if line]
    if not lines:
        panels.empty("No curves to compare", "These runs have no tests of this metric.")
        return
    roles = dict.fromkeys(map(inert, runs), "chosen")
    named = {run.kind.words.step for run in runs.values()}
    view = View(height=320, x_title=named.pop() if len(named) == 1 else "Step")
    made = curves_figure(training.stretched(lines), metric, roles, view)
    panels.chart(made, "compare")


def _numbers(runs: dict[str, client.Run], shown: Collection[str]) -> None:
    rows = []
    for label, run in runs.items():
        table = run.table
        row = {"Run": label, "Task": run.spec.family.name, "n": run.spec.replicates}
        for metric in (name for name in METRICS if name in shown):
            values = table.tests(run.chosen, metric)
            if values is not None and table.yardstick.pools:
                trained = is_trained(table, run.spec, run.chosen)
                values = freed(values, trained=trained)
            row[METRICS[metric].label] = (
                "–" if values is None else _shown(metric, values)
            )
        rows.append(row)
    tables.draw(rows, alt="The chosen learners' numbers in place")


def _shown(metric: str, values: object) -> str:
    found = level(metric, values)  # type: ignore[arg-type]
    return f"{number(found.mean)} [{number(found.low)}, {number(found.high)}]"
