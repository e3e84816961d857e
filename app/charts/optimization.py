"""Charts of optimization runs: pure functions from a run to figures.

While a run is tuned and meta-trained its charts show that; once test results come in
they take over.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import plotly.graph_objects as go

from app.charts import CHARTS, KindCharts, training
from app.charts.chart_options import HEIGHT, NamedFigure, ViewState
from app.charts.figure_cache import cache_by_run, get_or_make
from app.charts.task_films import first_films
from app.client.client import Run
from app.figures import meta_training
from app.figures.curves import curves_figure
from app.figures.figure_types import CurveOptions
from app.figures.survival import survival_figure
from app.figures.theme import capitalize_name
from engine.contract.events import Block, Condition
from engine.contract.kinds import OPTIMIZATION
from engine.contract.learner_appearance import name_in_words
from engine.contract.metrics import METRICS
from engine.contract.run_spec import RunSpec
from engine.stats import curves as stats
from engine.stats.block_table import threshold_of
from engine.stats.curves import Curve
from engine.stats.diverged_tasks import counts_diverged
from engine.stats.family_names import family_title
from engine.stats.shift_and_transfer import (
    SeverityCurve,
    conditions_by_shift,
    severity_curve,
)

SURVIVAL = "survival"


def main_charts(run: Run, view_state: ViewState) -> Iterator[NamedFigure]:
    """Yield the main charts: of the tests if there are any, else of training."""
    if not run_conditions(run):
        yield from training.progress_charts(run)
        return
    for metric in view_state.metrics:
        made = _cached_chart(run, metric, view_state)
        if made is not None:
            yield NamedFigure(metric, made)


def _cached_chart(run: Run, metric: str, view_state: ViewState) -> go.Figure | None:
    def make() -> go.Figure | None:
        return (
            survival_chart(run, view_state)
            if metric == SURVIVAL
            else metric_chart(run, metric, view_state)
        )

    moved = view_state.threshold if metric == SURVIVAL else None
    at = view_state._replace(metrics=(), threshold=moved)
    return get_or_make(("main", run.cache_key, metric, at), make)


def run_conditions(run: Run) -> list[Condition]:
    """Return the conditions tested so far, in distribution first."""
    return run.table.conditions()


def condition_title(
    condition: Condition, spec: RunSpec, titles: Mapping[str, str]
) -> str:
    """Return a condition's title.

    Args:
        condition: The condition.
        spec: The run; two families of one kind are named by what they differ in.
        titles: Titles of parts, by name.

    >>> from engine.contract.run_spec import Choice, LearnerChoice
    >>> learners = (LearnerChoice(name="lr_scale"),)
    >>> run = RunSpec(family=Choice(name="mixtures"), learners=learners)
    >>> condition_title(Condition(shift="stretch", severity=2.0), run,
    ...     {"stretch": "Stretch"})
    'Stretch 2'
    """
    if condition.shift:
        title = titles.get(condition.shift, condition.shift)
        return f"{title} {condition.severity:g}"
    if not condition.family:
        return "in distribution"
    every = [spec.family.name, *(each.name for each in spec.test_families)]
    if every.count(condition.family) == 1:
        return titles.get(condition.family, name_in_words(condition.family))
    return capitalize_name(family_title(spec, condition.family))


def meta_test_blocks(run: Run, metric: str, condition: Condition) -> list[Block]:
    """Return the test blocks of a metric at a condition."""
    return [
        block
        for block in run.blocks
        if block.phase == "test"
        and block.metric == metric
        and block.condition == condition
    ]


def metric_chart(run: Run, metric: str, view_state: ViewState) -> go.Figure | None:
    """Return a metric of every learner against the chosen x; None without data."""
    found = meta_test_blocks(run, metric, view_state.condition)
    if not found:
        return None
    lines = [
        _with_x_axis(run, curve, view_state)
        for curve in stats.make_curves(found, metric)
    ]
    view = CurveOptions(
        log_y=view_state.log if metric in ("loss", "held_loss", "grad_norm") else None,
        smooth=view_state.smooth,
        x_title=_x_title(view_state.x),
        height=HEIGHT,
    )
    return curves_figure(lines, metric, run.roles, view)


def _x_title(x: str) -> str:
    titles = {
        "gradients": "Gradient evaluations",
        "seconds": "Wall time of one task (s)",
    }
    return titles.get(x, "Step")


def _with_x_axis(run: Run, curve: stats.Curve, view_state: ViewState) -> stats.Curve:
    """Move a curve onto the chosen x axis."""
    if view_state.x == "gradients":
        ledger = (run.summary or {}).get("ledger", {}).get(curve.learner)
        tasks = max(1, run.replicates * run.spec.budget.test_tasks)
        return curve._replace(x=stats.gradient_axis(curve.x, ledger, tasks))
    if view_state.x == "seconds":
        return curve._replace(x=curve.x * seconds_per_step(run, curve.learner))
    return curve


def seconds_per_step(run: Run, learner: str) -> float:
    """Return the measured time of one step of one test task, seconds.

    A learner's tasks run as one batch, so its time is divided among them. Runs of
    older releases have one time for all learners.
    """
    tests = [t for t in run.timings if t.stage.startswith("test ")]
    own = [t for t in tests if t.learner == learner]
    if own:
        return sum(t.seconds for t in own) / max(1, sum(t.count for t in own))
    budget, roles = run.spec.budget, len(run.roles)
    played = run.replicates * budget.test_tasks * budget.horizon
    count = max(1, played * roles * len(run_conditions(run)))
    return sum(t.seconds for t in tests if not t.learner) / count


@cache_by_run
def scale_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return the histogram of the learning-rate scales; None without any."""
    found = meta_test_blocks(run, "lr_scale", view_state.condition)
    played = {
        b.learner: np.asarray(b.array)
        for b in found
        if run.roles.get(b.learner) == "chosen"
    }
    return meta_training.scale_histogram(played, run.roles) if played else None


def run_threshold(run: Run) -> float | None:
    """Return the run's own threshold, nats."""
    return threshold_of(run.table, run.spec)


def survival_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return the share of tasks not yet at the threshold; None without traces."""
    level = view_state.threshold or run_threshold(run)
    found = meta_test_blocks(run, "loss", view_state.condition)
    if level is None or not found:
        return None
    waiting = {b.learner: stats.survival_curve(b, level) for b in found}
    made = survival_figure(waiting, run.roles, level)
    return made.update_layout(height=HEIGHT)


@cache_by_run
def severity_curves(run: Run, metric: str) -> dict[str, list[Curve]]:
    """Return, by shift, every learner's metric as a curve over severity."""
    made = dict[str, list[Curve]]()
    cap = _severity_cap(run, metric)
    for shift in conditions_by_shift(run.table):
        clean = clean_severity(run, shift)
        found = (
            severity_curve(run.table, label, shift, metric, clean=clean)
            for label in run.roles
        )
        lines = [_severity_curve(curve, cap) for curve in found if curve is not None]
        if lines:
            made[shift] = lines
    return made


def _severity_cap(run: Run, metric: str) -> float | None:
    """Return at which value a metric was capped in this run's tests; None if not."""
    if metric == run.table.criterion.beside:
        tests = (b for b in run.blocks if (b.phase, b.metric) == ("test", "reached"))
        late = any((np.asarray(block.array) == 0).any() for block in tests)
        return float(run.spec.budget.horizon) if late else None
    return METRICS[metric].worst if counts_diverged(run.table, metric) else None


def clean_severity(run: Run, shift: str) -> float:
    """Return the severity at which a shift gives the clean family, bit for bit.

    It is 0, except for a shift named like a count of the family, such as its shots:
    it sets that count, so the family's own value is the clean one.
    """
    own = run.spec.family.knobs.get(shift)
    counts = isinstance(own, int) and not isinstance(own, bool)
    return float(own) if counts else 0.0


def _severity_curve(curve: SeverityCurve, cap: float | None) -> Curve:
    ends = (curve.mean, curve.low, curve.high)
    return Curve(
        curve.learner,
        curve.severity,
        *ends,
        n=curve.n,
        missing_counts=curve.diverged,
        members=int(curve.members.max()),
        counted_as=cap,
    )


CHARTS[OPTIMIZATION.name] = KindCharts(
    main_charts,
    metrics=(
        "loss",
        "held_loss",
        "accuracy",
        "lr_scale",
        SURVIVAL,
        "grad_norm",
        "weight_norm",
        "update_norm",
    ),
    films=first_films,
)
