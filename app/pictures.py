"""A run and a way of looking at it → figures; pure, drawn elsewhere.

Which figure stands in which place depends on what the run already has: while it is
tuned and trained the places show that, and when tests come in they take over.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.door import Run
from app.figures import curves as drawn
from app.figures import learning
from app.figures.shapes import Line, Tuning, View
from app.kept import kept
from engine.contract.blocks import Block, Condition
from engine.contract.metrics import METRICS
from engine.stats import curves as stats
from engine.stats.intervals import mean_band, mean_interval
from engine.stats.table import Table, threshold_of

HERE = Condition()
TRAINED = (
    *("validation", "meta_loss", "outer_grad_norm", "return", "entropy"),
    *("value_loss", "explained_variance", "kl"),
)
TRACES = ("loss", "held_loss", "accuracy", "grad_norm", "weight_norm", "lr_scale")
HEIGHT = 240
SURVIVAL = "survival"
AXES = ("step", "gradients", "seconds")


class Look(NamedTuple):
    """How a person wants to look; never changes what was run."""

    condition: Condition = HERE
    metrics: tuple[str, ...] = ("loss", "lr_scale")
    log: bool | None = None
    smooth: float = 0.0
    x: str = "step"
    threshold: float | None = None


class Picture(NamedTuple):
    """A figure and the stable name of its place."""

    place: str
    figure: go.Figure


def grid(run: Run, look: Look) -> Iterator[Picture]:
    """Yield the main pictures: tests where there are any, else what is under way."""
    if not conditions(run):
        yield from under_way(run)
        return
    for metric in look.metrics:
        made = _kept(run, metric, look)
        if made is not None:
            yield Picture(metric, made)


def _kept(run: Run, metric: str, look: Look) -> go.Figure | None:
    def make() -> go.Figure | None:
        return survival(run, look) if metric == SURVIVAL else trace(run, metric, look)

    if run.alive:
        return make()
    moved = look.threshold if metric == SURVIVAL else None
    at = look._replace(metrics=(), threshold=moved)
    return kept(("main", run.edition, metric, at), make)


def conditions(run: Run) -> list[Condition]:
    """Return where tests were taken so far, in place first."""
    return Table(run.blocks).conditions()


def name(condition: Condition, titles: dict[str, str]) -> str:
    """Return what a condition is called.

    >>> name(Condition(shift="stretch", severity=2.0), {"stretch": "Stretch"})
    'Stretch 2'
    """
    if condition.shift:
        title = titles.get(condition.shift, condition.shift)
        return f"{title} {condition.severity:g}"
    if condition.family:
        return titles.get(condition.family, condition.family)
    return "in place"


def _tests(run: Run, metric: str, condition: Condition) -> list[Block]:
    return [
        block
        for block in run.blocks
        if block.phase == "test"
        and block.metric == metric
        and block.condition == condition
    ]


def trace(run: Run, metric: str, look: Look) -> go.Figure | None:
    """Return one metric of every learner against the chosen x; none without data."""
    found = _tests(run, metric, look.condition)
    if not found:
        return None
    lines = [_placed(run, curve, look) for curve in stats.curves(found, metric)]
    view = View(
        log_y=look.log if metric in ("loss", "held_loss", "grad_norm") else None,
        smooth=look.smooth,
        x_title=_x_title(look.x),
        height=HEIGHT,
    )
    return drawn.curves_figure(lines, metric, run.roles, view)


def _x_title(x: str) -> str:
    titles = {
        "gradients": "Gradient evaluations",
        "seconds": "Wall time of one task (s)",
    }
    return titles.get(x, "Step")


def _placed(run: Run, curve: stats.Curve, look: Look) -> stats.Curve:
    """Move a curve onto the chosen x axis."""
    if look.x == "gradients":
        ledger = (run.summary or {}).get("ledger", {}).get(curve.learner)
        tasks = max(1, run.spec.replicates * run.spec.budget.test_tasks)
        return curve._replace(x=stats.gradient_axis(curve.x, ledger, tasks))
    if look.x == "seconds":
        return curve._replace(x=curve.x * seconds_per_step(run, curve.learner))
    return curve


def seconds_per_step(run: Run, learner: str) -> float:
    """Return the measured time of one step of one test task, seconds.

    A learner's tasks run as one batch, so each has its share of the batch's time. A
    run from before learners were timed alone has one time for all of them.
    """
    tests = [t for t in run.timings if t.stage.startswith("test ")]
    own = [t for t in tests if t.learner == learner]
    if own:
        return sum(t.seconds for t in own) / max(1, sum(t.count for t in own))
    budget, roles = run.spec.budget, len(run.roles)
    played = run.spec.replicates * budget.test_tasks * budget.horizon
    count = max(1, played * roles * len(conditions(run)))
    return sum(t.seconds for t in tests if not t.learner) / count


def under_way(run: Run) -> Iterable[Picture]:
    """Yield what can be seen before the tests: newest check, training, tuning."""
    table = Table(run.blocks)
    for metric in ("loss", "lr_scale"):
        found = [b for b in run.blocks if b.phase == "validate" and b.metric == metric]
        lines = [stats.curve(block) for block in found]
        if lines:
            made = drawn.curves_figure(lines, metric, run.roles, View(height=HEIGHT))
            title = f"{METRICS[metric].label}, newest check on validation tasks"
            yield Picture(f"check.{metric}", _titled(made, title))
    trained = meta_training(run, table, ("validation", "meta_loss"))
    if trained is not None:
        yield Picture("training", trained)
    rates = tuning(run, table)
    if rates is not None:
        yield Picture("tuning", rates)


def _titled(made: go.Figure, title: str) -> go.Figure:
    made.update_layout(meta={**made.layout.meta, "title": title})
    return made


def meta_training(
    run: Run, table: Table, metrics: tuple[str, ...] = TRAINED
) -> go.Figure | None:
    """Return the meta-training curves; none before the first check."""
    panels: dict[str, list[Line]] = {}
    for metric in metrics:
        for label in run.roles:
            line = _along(table, label, metric)
            if line is not None:
                panels.setdefault(metric, []).append(line)
    if not panels:
        return None
    return learning.meta_training_figure(panels, run.roles, _best(table, run.chosen))


def _along(table: Table, label: str, metric: str) -> Line | None:
    phases = ("validate", "train")
    found = [s for p in phases if (s := table.series(label, p, metric)) is not None]
    if not found:
        return None
    band = mean_band(found[0].values[:, None])
    n = int(band.n.max()) if band.n.size else 0
    return Line(label, found[0].step, band.mean, band.low, band.high, n=n)


def _best(table: Table, label: str) -> float | None:
    """Return the meta-step of the best mean validation score."""
    series = table.series(label, "validate", "validation")
    if series is None or not np.isfinite(series.values).any():
        return None
    means = np.nanmean(series.values, axis=0)
    return float(series.step[int(np.nanargmin(means))])


def tuning(run: Run, table: Table) -> go.Figure | None:
    """Return the tuning curves; none where no rate was tuned."""
    made: dict[str, Tuning] = {}
    for label in run.roles:
        block = table.block(label, "tune", "tuning")
        if block is None:
            continue
        scores = np.asarray(block.array, dtype=np.float64)
        band = mean_band(scores.T[:, None])
        rates = np.asarray(block.positions("rate"))
        best = table.number(label, "tune", "tuned_lr")
        chosen = best if best is not None else float(rates[_lowest(scores)])
        made[label] = Tuning(rates, band.mean, band.low, band.high, chosen)
    return learning.tuning_figure(made, run.roles) if made else None


def _lowest(scores: np.ndarray) -> int:
    means = scores.mean(axis=1)
    return int(np.nanargmin(means)) if np.isfinite(means).any() else 0


def threshold(run: Run) -> float | None:
    """Return the run's own threshold, nats."""
    return threshold_of(Table(run.blocks), run.spec)


def survival(run: Run, look: Look) -> go.Figure | None:
    """Return the share of tasks not yet at the threshold; none without traces."""
    level = look.threshold or threshold(run)
    found = _tests(run, "loss", look.condition)
    if level is None or not found:
        return None
    waiting = {b.learner: stats.survival_curve(b, level) for b in found}
    made = drawn.survival_figure(waiting, run.roles, level)
    return made.update_layout(height=HEIGHT)


def scales(run: Run, look: Look) -> go.Figure | None:
    """Return the histogram of the scales that were played; none without any."""
    found = _tests(run, "lr_scale", look.condition)
    played = {
        b.learner: np.asarray(b.array)
        for b in found
        if run.roles.get(b.learner) == "chosen"
    }
    return learning.scale_histogram(played, run.roles) if played else None


def severities(run: Run, metric: str) -> dict[str, list[Line]]:
    """Return each shift's curves over severity: metric of every learner."""
    table, made = Table(run.blocks), dict[str, list[Line]]()
    for shift in dict.fromkeys(c.shift for c in table.conditions() if c.shift):
        at = [c for c in table.conditions() if c.shift == shift]
        if all(c.severity > 0 for c in at):
            at.insert(0, HERE)  # severity 0 is the clean family, bit for bit
        lines = [_over(table, label, metric, at) for label in run.roles]
        kept = [line for line in lines if line is not None]
        if kept:
            made[shift] = kept
    return made


def _over(table: Table, label: str, metric: str, at: list[Condition]) -> Line | None:
    log = METRICS[metric].scale == "log"
    x, found = [], []
    for condition in at:
        values = table.tests(label, metric, condition)
        if values is not None:
            x.append(condition.severity)
            found.append(mean_interval(values, log=log))
    if not found:
        return None
    mean, low, high = (
        np.array([getattr(one, part) for one in found])
        for part in ("mean", "low", "high")
    )
    return Line(label, np.array(x), mean, low, high, n=max(one.n for one in found))
