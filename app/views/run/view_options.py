"""View options of a run: condition, axes, threshold; they never restart it."""

import numpy as np
import streamlit as st

from app.charts import optimization
from app.charts.chart_options import IN_DISTRIBUTION, ViewState
from app.client.client import Run
from app.views.run.kind_view import VIEWS
from engine.contract.events import Condition
from engine.contract.metrics import METRICS
from engine.contract.run_spec import RunSpec
from engine.stats.diverged_tasks import count_diverged

THRESHOLD = "threshold"


def draw_options(run: Run, titles: dict[str, str]) -> ViewState:
    """Draw the view options that the run's results allow; return the view state."""
    found = optimization.run_conditions(run)
    if not found:
        return ViewState()
    with st.container(horizontal=True, vertical_alignment="bottom", key="options"):
        condition = _choose_condition(found, run.spec, titles)
        with st.popover("View", icon=":material/tune:", key="view_options"):
            return VIEWS[run.kind.name].draw_options(run, condition)


def _choose_condition(
    found: list[Condition], spec: RunSpec, titles: dict[str, str]
) -> Condition:
    if len(found) < 2:
        return found[0] if found else IN_DISTRIBUTION
    names = {optimization.condition_title(c, spec, titles): c for c in found}
    picked = st.selectbox(
        "Tested", list(names), key="where", bind="query-params", width=250
    )
    return names.get(str(picked), found[0])


def draw_threshold_slider(run: Run, view_state: ViewState) -> None:
    """Draw the threshold's slider; moving it needs no new run."""
    own = optimization.run_threshold(run)
    losses = [
        block.array
        for block in run.blocks
        if (block.phase, block.metric) == ("test", "loss")
        and block.condition == view_state.condition
    ]
    if own is None or not losses:
        return
    key = f"{THRESHOLD}.{run.key[:12]}"
    levels = _threshold_levels(losses, own, st.session_state.get(key))
    st.session_state.setdefault(key, own)
    st.select_slider(
        f"Threshold ({METRICS['loss'].unit})",
        levels,
        format_func=lambda value: f"{value:.3g}",
        key=key,
        help=f"Fixed on validation tasks before any test: {own:.3g}. "
        "Moving it changes this chart, never the verdict.",
    )


def _threshold_levels(
    losses: list[np.ndarray], own: float, held: float | None
) -> list[float]:
    """Return some 60 levels between the lowest and highest mean loss.

    A loss counts as it does in the curves: one that blows up as their cap.
    """
    counted = [count_diverged("loss", loss) for loss in losses]
    means = np.concatenate([loss.mean(axis=(0, 1)) for loss in counted])
    finite = means[means > 0]
    if not len(finite):
        return [own]
    low, high = min(finite.min() / 2, own / 2), max(finite.max(), own)
    kept = {own} if held is None else {own, held}
    # The slider needs the run's own and the present threshold among its levels.
    return sorted({*(float(v) for v in np.geomspace(low, high, 60)), *kept})
