"""A few-shot run and a way of looking at it → figures; pure, drawn elsewhere."""

from collections.abc import Callable, Iterator

import numpy as np
import plotly.graph_objects as go

from app.charts import CHARTS, Charts, optimization, training
from app.charts.figure_cache import kept
from app.charts.view_state import HEIGHT, Look, Picture
from app.client.client import Run
from app.figures import curves as drawn
from app.figures.few_shot import (
    Count,
    Mark,
    answers_figure,
    count_figure,
    gain_figure,
)
from app.figures.figure_types import View
from app.figures.shift import severity_figure
from engine.contract.appearance import name_in_words
from engine.contract.kinds import FEW_SHOT
from engine.stats import curves as stats
from engine.stats.block_table import Table
from engine.stats.curves import Curve
from engine.stats.inference.intervals import Interval
from engine.stats.inference.metric_levels import level

SHOTS = "shots"
STEPS = FEW_SHOT.words.step
SHIFTS_SHOWN = 4
ANSWERS = ("answers", SHOTS, "gain", "learned", "shifts")
INSIDE = ("query_loss", "support_loss", "moved", "inner_grad_norm")


def metric_of(run: Run, place: str = "query") -> str:
    """Return the accuracy, or the squared error, of some place.

    Args:
        run: The run.
        place: query, start or final.
    """
    return f"{place}_accuracy" if training.classes(run) else f"{place}_mse"


def grid(run: Run, look: Look) -> Iterator[Picture]:
    """Yield the main pictures: tests where there are any, else what is under way."""
    if not optimization.conditions(run):
        yield from under_way(run)
        return
    for place in look.metrics:
        if place == "shifts":
            yield from _shifts(run, look)
            continue
        made = _kept(run, place, look)
        if made is not None:
            yield Picture(place, made)


def _kept(run: Run, place: str, look: Look) -> go.Figure | None:
    def make() -> go.Figure | None:
        drawer = _DRAWN.get(place)
        return drawer(run, look) if drawer else inside(run, place, look)

    if run.alive:
        return make()
    return kept(("few", run.edition, place, look._replace(metrics=())), make)


def answers(run: Run, look: Look) -> go.Figure | None:
    """Return the answers of every learner after each inner step."""
    metric = metric_of(run)
    found = optimization.tests(run, metric, look.condition)
    every = stats.curves(found, metric)
    if all(len(curve.x) < 2 for curve in every):  # nobody adapts: nothing to follow
        return None
    table = run.table
    marks = {c.learner: mark for c in every if (mark := _mark(table, c, look))}
    view = View(log_y=_log(run, look), x_title=STEPS, height=HEIGHT)
    lines = training.stretched(every)
    return answers_figure(lines, marks, metric, run.roles, view)


def _log(run: Run, look: Look) -> bool | None:
    return False if training.classes(run) else look.log


def _mark(table: Table, curve: stats.Curve, look: Look) -> Mark | None:
    """Return where a learner's answer stands: the step whose numbers are its own.

    Losses tell steps apart that share an accuracy.
    """
    at = _answered(table, curve.learner, look)
    if at is None or len(curve.x) < 2:
        return None
    return Mark(float(curve.x[at]), float(curve.mean[at]))


def _answered(table: Table, label: str, look: Look) -> int | None:
    pairs = (("query_loss", "final_query_loss"), ("query_mse", "final_mse"))
    for along, last in pairs:
        block = table.block(label, "test", along, look.condition)
        final = table.tests(label, last, look.condition)
        if block is None or final is None:
            continue
        steps = np.asarray(block.array, dtype=np.float64)
        same = np.isclose(steps, final[..., None], rtol=1e-4, equal_nan=True)
        found = np.flatnonzero(same.all(axis=(0, 1)))
        return int(found[0]) if len(found) else None
    return None


def shots(run: Run, look: Look) -> go.Figure | None:
    """Return the answers against the number of labelled examples."""
    metric = metric_of(run, "final")
    lines = optimization.severities(run, metric).get(SHOTS)
    if not lines:
        return None
    unit = "of each class" if training.classes(run) else "points"
    count = Count(SHOTS, f"Shots K ({unit})")
    return _lower(count_figure(lines, metric, run.roles, count))


def _lower(made: go.Figure) -> go.Figure:
    """Make a single panel as high as its neighbors in the grid."""
    spare = (made.layout.margin.b or 0) - 65
    return made.update_layout(height=HEIGHT + max(0, spare))


def gain(run: Run, look: Look) -> go.Figure | None:
    """Return every learner before and after its inner steps."""
    before = _levels(run, metric_of(run, "start"), look)
    after = _levels(run, metric_of(run, "final"), look)
    if not after:
        return None
    return gain_figure(before, after, metric_of(run, "final"), run.roles)


def _levels(run: Run, metric: str, look: Look) -> dict[str, Interval]:
    table = run.table
    rows = {label: table.tests(label, metric, look.condition) for label in run.roles}
    return {
        label: level(metric, values)
        for label, values in rows.items()
        if values is not None
    }


def learned(run: Run, look: Look) -> go.Figure | None:
    """Return how it was meta-trained."""
    return training.meta_training(run, run.kind.metrics.training[:2])


def _shifts(run: Run, look: Look) -> Iterator[Picture]:
    """Yield one picture for each of the first shifts, but the one of the shots."""
    metric = metric_of(run, "final")
    found = optimization.severities(run, metric)
    names = [shift for shift in found if shift != SHOTS][:SHIFTS_SHOWN]
    for shift in names:
        made = _shift(run, shift, found[shift], metric)
        yield Picture(f"shift.{shift}", _lower(made))


def _shift(run: Run, shift: str, lines: list[Curve], metric: str) -> go.Figure:
    word = name_in_words(shift)
    if optimization.in_place(run, shift):
        count = Count(shift, word.capitalize())
        return count_figure(lines, metric, run.roles, count)
    made = severity_figure({shift: lines}, metric, run.roles)
    return training.titled(made, f"{made.layout.meta['title']}: {word}")


def inside(run: Run, metric: str, look: Look) -> go.Figure | None:
    """Return one metric of the adaptation itself; none without data."""
    found = optimization.tests(run, metric, look.condition)
    lines = training.stretched(stats.curves(found, metric))
    if not lines:
        return None
    view = View(log_y=look.log, x_title=STEPS, height=HEIGHT)
    return drawn.curves_figure(lines, metric, run.roles, view)


def under_way(run: Run) -> Iterator[Picture]:
    """Yield what can be seen before the tests: validation first, then training."""
    made = validation(run)
    if made is not None:
        yield Picture("validation", made)
    yield from training.newest_check(run, STEPS)
    lessons = training.meta_training(run, ("lesson_loss",))
    if lessons is not None:
        yield Picture("training", lessons)
    rates = training.tuning(run)
    if rates is not None:
        yield Picture("tuning", rates)


def validation(run: Run) -> go.Figure | None:
    """Return each learner's validation accuracy, or error, along its training."""
    right = training.classes(run)
    lines = [
        training.along(run.table, label, "validation_error") for label in run.roles
    ]
    shown = [_right(line) if right else line for line in lines if line is not None]
    if not shown:
        return None
    metric = metric_of(run)
    view = View(x_title="Meta-step", height=HEIGHT)
    made = drawn.curves_figure(shown, metric, run.roles, view)
    word = "accuracy" if right else "error"
    return training.titled(made, f"Validation {word} while learning")


def _right(line: Curve) -> Curve:
    """Turn a share of wrong answers into one of right ones."""
    return line._replace(mean=1 - line.mean, low=1 - line.high, high=1 - line.low)


Drawer = Callable[[Run, Look], go.Figure | None]
_DRAWN: dict[str, Drawer] = {
    "answers": answers,
    SHOTS: shots,
    "gain": gain,
    "learned": learned,
}


CHARTS[FEW_SHOT.name] = Charts(grid)
