"""The page Compare: runs, then their curves, numbers, settings and exports."""

from collections.abc import Sequence

import plotly.graph_objects as go
import streamlit as st

from app.charts.run_comparison import Line, comparison_chart
from app.client import client
from app.experiment.settings_diff import (
    Difference,
    describe_caution,
    find_differences,
)
from app.views.compare import exports, numbers, selection
from app.views.compare.runs_choice import choose_runs, draw_opening_links, run_titles
from app.widgets import page_elements, tables
from app.widgets.escaping import escape_markdown
from app.widgets.metric_select import metric_select
from engine.contract.cards import Card
from engine.contract.errors import Refused

_MOST_LINES = 8  # in a chart; of more, only the judged learners are shown at first


def draw_page() -> None:
    """Draw the page."""
    keys = choose_runs()
    if not keys:
        page_elements.draw_empty(
            "Nothing to compare yet",
            "Choose runs above, or select rows on the page **Runs** and press "
            "**Compare**.",
            icon=":material/compare_arrows:",
        )
        return
    runs = {key: client.run(key) for key in keys}
    titles = run_titles(runs)
    draw_opening_links(titles)
    differences = find_differences([run.spec for run in runs.values()], _find_card)
    _draw_cautions(list(runs.values()), differences)
    lines = [
        Line(run, place, titles[key], label)
        for place, (key, run) in enumerate(runs.items())
        for label in run.roles
    ]
    shown = _choose_lines(lines)
    figure = _draw_curves(shown)
    _draw_numbers(shown)
    _draw_differences(differences, list(titles.values()))
    exports.draw_exports(keys, shown, figure)


def _find_card(slot: str, name: str) -> Card | None:
    if not client.is_catalogue_ready():
        return None
    try:
        return client.catalogue().card(slot, name)
    except Refused:  # a part of an imported run that is not installed here
        return None


def _draw_cautions(
    runs: Sequence[client.Run], differences: Sequence[Difference]
) -> None:
    """Say what makes the runs hard to compare."""
    kinds = dict.fromkeys(run.kind.title for run in runs)
    if len(kinds) > 1:
        st.info(
            f"These runs are of different kinds ({', '.join(kinds)}): only what all "
            "of them measure is compared.",
            icon=":material/info:",
        )
    elif caution := describe_caution(differences):
        st.warning(escape_markdown(caution), icon=":material/warning:")
    if any(run.is_alive for run in runs):
        st.caption("Some of these runs are not done: their numbers are those so far.")


def _choose_lines(lines: Sequence[Line]) -> list[Line]:
    """Let the user choose among the learners; at first all of few, else the judged."""
    known = {f"{line.run.key} {line.label}": line for line in lines}
    runs = selection.join_keys(list(dict.fromkeys(line.run.key for line in lines)))
    judged = [at for at, line in known.items() if line.label == line.run.judged_label]
    chosen = st.multiselect(
        "Learners",
        list(known),
        default=list(known) if len(known) <= _MOST_LINES else judged,
        format_func=lambda at: known[at].name,
        key=f"compared_lines.{runs}",
        max_selections=_MOST_LINES,
        placeholder="Choose learners",
        help=f"Up to {_MOST_LINES} at once, of {len(known)}: the runs' learners and "
        "their baselines.",
    )
    return [line for at, line in known.items() if at in chosen]


def _draw_curves(lines: Sequence[Line]) -> go.Figure | None:
    """Draw one metric of the learners; return the figure, None if there is none."""
    kinds = {line.run.kind.name: line.run.kind for line in lines}
    shared = numbers.shared_metrics(lines)
    curves = dict.fromkeys(
        name for kind in kinds.values() for name in kind.metrics.curves
    )
    shown = [name for name in curves if name in shared]
    figure = None
    if shown:
        metric = metric_select(shown, "compare_metric")
        figure = comparison_chart(lines, metric)
    if figure is None:
        page_elements.draw_empty(
            "No curves to compare",
            "Choose learners that were tested by the same metric.",
        )
        return None
    page_elements.draw_chart(figure, "compare")
    return figure


def _draw_numbers(lines: Sequence[Line]) -> None:
    rows = numbers.number_rows(lines)
    if not rows:
        return
    page_elements.draw_heading(
        "Main numbers", "Means in distribution, with 95 % intervals; n replicates."
    )
    tables.draw_table(
        rows, height="content", alt="Main numbers of the learners, in distribution"
    )


def _draw_differences(differences: Sequence[Difference], titles: Sequence[str]) -> None:
    if len(titles) < 2:
        return
    page_elements.draw_heading(
        "Settings that differ", "All other settings are the same."
    )
    if not differences:
        st.caption("None: these runs have the same settings.")
        return
    rows = [
        {"Setting": each.name, **dict(zip(titles, each.values, strict=True))}
        for each in differences
    ]
    tables.draw_table(rows, height="content", alt="Settings in which the runs differ")
