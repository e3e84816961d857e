"""A run and a way of looking at it → figures; pure, drawn elsewhere.

Which figure stands in which place depends on what the run already has: while it is
tuned and trained the places show that, and when tests come in they take over.
"""

from collections.abc import Iterator

import numpy as np
import plotly.graph_objects as go

from app.charts import CHARTS, Charts, training
from app.charts.figure_cache import kept
from app.charts.view_state import HEIGHT, Look, Picture
from app.client.client import Run
from app.figures import curves as drawn
from app.figures import learning
from app.figures.figure_types import View
from engine.contract.blocks import Block, Condition
from engine.contract.kinds import OPTIMIZATION
from engine.stats import curves as stats
from engine.stats.block_table import threshold_of
from engine.stats.curves import Curve
from engine.stats.transfer import SeverityCurve, severity_curve, shifts_of

SURVIVAL = "survival"


def grid(run: Run, look: Look) -> Iterator[Picture]:
    """Yield the main pictures: tests where there are any, else what is under way."""
    if not conditions(run):
        yield from training.under_way(run)
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
    return run.table.conditions()


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


def tests(run: Run, metric: str, condition: Condition) -> list[Block]:
    """Return the test blocks of a metric at a condition."""
    return [
        block
        for block in run.blocks
        if block.phase == "test"
        and block.metric == metric
        and block.condition == condition
    ]


def trace(run: Run, metric: str, look: Look) -> go.Figure | None:
    """Return one metric of every learner against the chosen x; none without data."""
    found = tests(run, metric, look.condition)
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


def scales(run: Run, look: Look) -> go.Figure | None:
    """Return the histogram of the scales that were played; none without any."""
    found = tests(run, "lr_scale", look.condition)
    played = {
        b.learner: np.asarray(b.array)
        for b in found
        if run.roles.get(b.learner) == "chosen"
    }
    return learning.scale_histogram(played, run.roles) if played else None


def threshold(run: Run) -> float | None:
    """Return the run's own threshold, nats."""
    return threshold_of(run.table, run.spec)


def survival(run: Run, look: Look) -> go.Figure | None:
    """Return the share of tasks not yet at the threshold; none without traces."""
    level = look.threshold or threshold(run)
    found = tests(run, "loss", look.condition)
    if level is None or not found:
        return None
    waiting = {b.learner: stats.survival_curve(b, level) for b in found}
    made = drawn.survival_figure(waiting, run.roles, level)
    return made.update_layout(height=HEIGHT)


def severities(run: Run, metric: str) -> dict[str, list[Curve]]:
    """Return each shift's curves over severity: metric of every learner."""
    made = dict[str, list[Curve]]()
    for shift in shifts_of(run.table):
        clean = in_place(run, shift)
        found = (
            severity_curve(run.table, label, shift, metric, clean=clean)
            for label in run.roles
        )
        lines = [_over(curve) for curve in found if curve is not None]
        if lines:
            made[shift] = lines
    return made


def in_place(run: Run, shift: str) -> float:
    """Return the severity at which a shift is the clean family, bit for bit.

    That is 0; a shift that is called like a count of the family, such as its shots,
    sets this count, so that the family's own is the clean one.
    """
    own = run.spec.family.knobs.get(shift)
    counts = isinstance(own, int) and not isinstance(own, bool)
    return float(own) if counts else 0.0


def _over(curve: SeverityCurve) -> Curve:
    ends = (curve.mean, curve.low, curve.high)
    return Curve(curve.learner, curve.severity, *ends, n=curve.n)


CHARTS[OPTIMIZATION.name] = Charts(grid)
