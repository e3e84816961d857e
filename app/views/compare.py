"""Two to eight runs compared: curves in one chart, numbers in one table."""

from collections.abc import Collection, Sequence

import numpy as np
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
from engine.contract.events import Block
from engine.contract.learner_appearance import name_in_words
from engine.contract.metrics import METRICS
from engine.contract.run_spec import Choice
from engine.stats.array_types import Floats
from engine.stats.block_table import IN_DISTRIBUTION, is_trained
from engine.stats.diverged_tasks import count_diverged, has_diverged
from engine.stats.family_names import target_title
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
    tested = {label: _tests_of(run, metric) for label, run in runs.items()}
    every = [np.asarray(block.array) for found in tested.values() for block in found]
    capped, lines = has_diverged(metric, every), []
    for label, run in runs.items():
        line = CHARTS[run.kind.name].line
        # Plotly interprets some HTML tags in legend texts.
        drawn = (line(run, block, capped) for block in tested[label])
        lines += [each._replace(learner=escape_html(label)) for each in drawn if each]
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


def _tests_of(run: client.Run, metric: str) -> list[Block]:
    """Return the tests in distribution of a run's judged learner."""
    return [
        block
        for block in run.blocks
        if block.learner == run.judged_label
        and (block.phase, block.metric) == ("test", metric)
        and block.condition == IN_DISTRIBUTION
    ]


def _draw_numbers(runs: dict[str, client.Run], shown: Collection[str]) -> None:
    families = [run.spec.family for run in runs.values()]
    rows: dict[str, dict[str, object]] = {
        label: {
            "Run": label,
            "Task": _task_name(run.spec.family, families),
            "n": run.replicates,
        }
        for label, run in runs.items()
    }
    for metric in (name for name in METRICS if name in shown):
        found = {label: _unit_rows(run, metric) for label, run in runs.items()}
        values = {label: rows for label, rows in found.items() if rows is not None}
        capped = has_diverged(metric, values.values())
        for label in runs:
            level = "–"
            if label in values:
                one = values[label]
                one = count_diverged(metric, one) if capped else one
                share = runs[label].table.criterion.share
                level = _format_level(metric, one, share)
            rows[label][METRICS[metric].label] = level
    tables.draw_table(
        [*rows.values()], alt="The chosen learners' numbers, in distribution"
    )


def _task_name(family: Choice, among: Sequence[Choice]) -> str:
    """Return a family's name, with what it differs in from others of its kind."""
    name, title = name_in_words(family.name), target_title(family, among)
    return title if title.startswith(name) else f"{name}, {title}"


def _unit_rows(run: client.Run, metric: str) -> Floats | None:
    """Return the judged learner's numbers by independent unit; None if not tested."""
    table = run.table
    values = table.test_values(run.judged_label, metric)
    if values is None or not table.criterion.pools:
        return values
    trained = is_trained(table, run.spec, run.judged_label)
    return regroup_units(values, trained=trained)


def _format_level(metric: str, values: Floats, share: bool) -> str:
    found = metric_interval(metric, values, share=share)
    return (
        f"{format_number(found.mean)} [{format_number(found.low)}, "
        f"{format_number(found.high)}]"
    )
