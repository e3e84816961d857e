"""The section Shifts: a metric against the severity of each shift."""

from collections.abc import Mapping

from app.charts import optimization
from app.charts.chart_options import ViewState
from app.charts.figure_cache import get_or_make
from app.client import client
from app.client.client import Run
from app.figures.shift import severity_figure
from app.widgets import page_elements
from app.widgets.metric_select import metric_select


def draw_section(run: Run, view_state: ViewState, titles: Mapping[str, str]) -> None:
    """Draw how each learner's result changes with the severity of a shift."""
    if not any(c.shift for c in optimization.run_conditions(run)):
        page_elements.draw_empty(
            "No shift was tested",
            "Choose a shift in the form and press **Run**: the same tasks are then "
            "tested again, changed step by step, and the result by severity appears "
            "here.",
        )
        return
    names = [m for m in run.kind.metrics.by_severity if _is_measured(run, m)]
    found = {}
    if names:
        metric = metric_select(names, "severity_metric")
        found = optimization.severity_curves(run, metric)
    if not found:
        page_elements.draw_empty(
            "No severity is tested yet", "The curve appears with the tests."
        )
        return
    units = _severity_units()
    made = get_or_make(
        ("severity", run.cache_key, metric, *units.items()),
        lambda: severity_figure(found, metric, run.roles, units),
    )
    page_elements.draw_chart(made, "severity")


def _is_measured(run: Run, metric: str) -> bool:
    """Whether any learner has this metric on the in-distribution tests."""
    return any(run.table.test_values(label, metric) is not None for label in run.roles)


def _severity_units() -> dict[str, str]:
    if not client.is_catalogue_ready():
        return {}
    shifts = client.catalogue().cards_of("shift")
    return {card.name: str(card.traits.get("unit", "")) for card in shifts}
