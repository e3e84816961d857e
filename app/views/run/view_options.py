"""View options: how a person looks at a run; they never restart it."""

import numpy as np
import streamlit as st

from app.charts import few_shot, optimization, search, training
from app.charts.optimization import SURVIVAL
from app.charts.view_state import HERE, Look
from app.client.client import Run
from engine.contract import kinds
from engine.contract.blocks import Condition
from engine.contract.metrics import METRICS

THRESHOLD = "threshold"
_X = {"step": "Step", "gradients": "Gradients, tuning included", "seconds": "Wall time"}
_FEW_SHOT_PANELS = {"answers": few_shot.ANSWERS, "inside": few_shot.INSIDE}
_PANELS = {
    "loss": ("loss", "lr_scale", SURVIVAL, "grad_norm", "weight_norm", "update_norm"),
    "held-out": ("held_loss", "accuracy", "lr_scale", "update_norm"),
}


def options(run: Run, titles: dict[str, str]) -> Look:
    """Draw the view options that make sense for what is there; return the look."""
    found = optimization.conditions(run)
    if not found:
        return Look()
    with st.container(horizontal=True, vertical_alignment="bottom", key="options"):
        condition = _condition(found, titles)
        if run.kind is kinds.FEW_SHOT:
            return _episodes(run, condition)
        if run.kind is kinds.SEARCH:
            return _searches(run, condition)
        return _landscapes(condition)


def _episodes(run: Run, condition: Condition) -> Look:
    shown = st.segmented_control(
        "Pictures",
        list(_FEW_SHOT_PANELS),
        default="answers",
        format_func={"answers": "Answers", "inside": "Adaptation"}.get,
        key="few_shot_curves",
        bind="query-params",
        required=True,
        help="What is answered, or what the inner steps do to weights and losses.",
    )
    metrics = _FEW_SHOT_PANELS.get(str(shown), few_shot.ANSWERS)
    shares = training.classes(run) and metrics is few_shot.ANSWERS
    log = not shares and st.toggle("Log", value=True, key="log", bind="query-params")
    return Look(condition=condition, metrics=metrics, log=log)


def _searches(run: Run, condition: Condition) -> Look:
    inside = search.traced(run, search.STRATEGY)
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
            help="How good the architectures are, or what goes on in a strategy.",
        )
    x = st.segmented_control(
        "Against",
        ["evaluations", "price"],
        default="evaluations",
        format_func=str.capitalize,
        key="search_against",
        bind="query-params",
        required=True,
        help="An evaluation trains one architecture; its price is what that takes, in "
        "the space's own unit.",
    )
    log = st.toggle("Log", value=True, key="log", bind="query-params")
    metrics = inside if shown == "strategy" else search.traced(run, search.FOUND)
    return Look(condition=condition, metrics=metrics, log=log, x=str(x))


def _landscapes(condition: Condition) -> Look:
    shown = st.segmented_control(
        "Curves",
        list(_PANELS),
        default="loss",
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
        help="Gradients counts tuning and meta-training too, spread over the "
        "test tasks. Wall time is what this learner's tests took where the run "
        "was computed, over all their tasks and steps; they run as one batch. "
        "Tuning and meta-training are not in it.",
    )
    log = st.toggle("Log", value=True, key="log", bind="query-params")
    smooth = st.slider(
        *("Smoothing", 0.0, 0.95, 0.0, 0.05),
        key="smooth",
        bind="query-params",
        width=150,
        help="Running mean; what was measured stays faintly visible.",
    )
    return Look(
        condition=condition,
        metrics=_PANELS.get(str(shown), _PANELS["loss"]),
        log=log,
        smooth=float(smooth),
        x=str(x) if x in _X else "step",
    )


def _condition(found: list[Condition], titles: dict[str, str]) -> Condition:
    if len(found) < 2:
        return found[0] if found else HERE
    names = {optimization.name(c, titles): c for c in found}
    picked = st.selectbox(
        "Tested", list(names), key="where", bind="query-params", width=190
    )
    return names.get(str(picked), found[0])


def threshold(run: Run, look: Look) -> None:
    """Draw the threshold's slider; moving it needs no new run."""
    own = optimization.threshold(run)
    losses = [
        block.array
        for block in run.blocks
        if (block.phase, block.metric) == ("test", "loss")
        and block.condition == look.condition
    ]
    if own is None or not losses:
        return
    key = f"{THRESHOLD}.{run.key[:12]}"
    levels = _levels(losses, own, st.session_state.get(key))
    st.session_state.setdefault(key, own)
    st.select_slider(
        f"Threshold ({METRICS['loss'].unit})",
        levels,
        format_func=lambda value: f"{value:.3g}",
        key=key,
        help=f"Fixed on validation tasks before any test: {own:.3g}. "
        "Moving it changes this picture, never the verdict.",
    )


def _levels(losses: list[np.ndarray], own: float, held: float | None) -> list[float]:
    """Return some 60 levels between the lowest and highest mean loss."""
    means = np.concatenate([np.nanmean(a, axis=(0, 1)) for a in losses])
    finite = means[np.isfinite(means) & (means > 0)]
    if not len(finite):
        return [own]
    low, high = min(finite.min() / 2, own / 2), max(finite.max(), own)
    kept = {own} if held is None else {own, held}
    return sorted({*(float(v) for v in np.geomspace(low, high, 60)), *kept})
