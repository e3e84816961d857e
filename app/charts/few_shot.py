"""Charts of few-shot runs: pure functions from a run to figures."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import plotly.graph_objects as go

from app.charts import CHARTS, KindCharts, optimization, training
from app.charts.chart_options import HEIGHT, NamedFigure, ViewState
from app.charts.few_shot_examples import CHARTS_OF_EXAMPLES, error_to_accuracy
from app.charts.figure_cache import cache_by_run, get_or_make
from app.charts.task_films import first_films
from app.client.client import Run
from app.figures import curves as drawn
from app.figures.adaptation_results import (
    AnswerPoint,
    CountAxis,
    LostTasks,
    answers_figure,
    count_figure,
    gain_figure,
)
from app.figures.figure_types import CurveOptions
from app.figures.shift import severity_figure
from engine.contract.events import Block
from engine.contract.kinds import FEW_SHOT
from engine.contract.learner_appearance import name_in_words
from engine.stats import curves as stats
from engine.stats.block_table import BlockTable
from engine.stats.curves import Curve
from engine.stats.diverged_tasks import task_values
from engine.stats.inference.intervals import Interval
from engine.stats.inference.metric_intervals import metric_interval

SHOTS = "shots"
STEPS = FEW_SHOT.words.step
SHIFTS_SHOWN = 4
ANSWERS = (
    "answers",
    "contexts",
    "presentations",
    SHOTS,
    "gain",
    "learned",
    "calibration",
    "shifts",
)
INSIDE = ("query_loss", "support_loss", "moved", "inner_grad_norm")


def metric_of(run: Run, place: str = "query") -> str:
    """Return the name of the accuracy, or squared-error, metric.

    Args:
        run: The run; its answers are classes or values.
        place: Which answers: query, start or final.
    """
    return f"{place}_accuracy" if training.has_class_answers(run) else f"{place}_mse"


def main_charts(run: Run, view_state: ViewState) -> Iterator[NamedFigure]:
    """Yield the main charts: of the tests if there are any, else of training."""
    if not optimization.run_conditions(run):
        yield from progress_charts(run)
        return
    for place in view_state.metrics:
        if place == "shifts":
            yield from _shift_charts(run, view_state)
            continue
        made = _cached_chart(run, place, view_state)
        if made is not None:
            yield NamedFigure(place, made)


def _cached_chart(run: Run, place: str, view_state: ViewState) -> go.Figure | None:
    def make() -> go.Figure | None:
        drawer = _CHARTS.get(place)
        return (
            drawer(run, view_state)
            if drawer
            else inner_metric_chart(run, place, view_state)
        )

    return get_or_make(
        ("few", run.cache_key, place, view_state._replace(metrics=())), make
    )


def answer_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return every learner's performance after each inner step."""
    metric = metric_of(run)
    found = optimization.meta_test_blocks(run, metric, view_state.condition)
    every = stats.make_curves(found, metric)
    if all(len(curve.x) < 2 for curve in every):  # no learner takes inner steps
        return None
    table = run.table
    marks = {
        c.learner: mark for c in every if (mark := _answer_points(table, c, view_state))
    }
    view = CurveOptions(
        log_y=_log_axis_choice(run, view_state), x_title=STEPS, height=HEIGHT
    )
    lines = training.extend_points(every)
    return answers_figure(lines, marks, metric, run.roles, view)


def _log_axis_choice(run: Run, view_state: ViewState) -> bool | None:
    return False if training.has_class_answers(run) else view_state.log


def _answer_points(
    table: BlockTable, curve: stats.Curve, view_state: ViewState
) -> list[AnswerPoint]:
    """Return where on its curve a learner is evaluated.

    Replicates may have tuned to different numbers of inner steps.
    """
    if len(curve.x) < 2:
        return []
    at = _answer_positions(table, curve.learner, view_state)
    return [AnswerPoint(float(curve.x[i]), float(curve.mean[i])) for i in at]


def _answer_positions(
    table: BlockTable, label: str, view_state: ViewState
) -> list[int]:
    """Return the positions on the step axis of all replicates' answers.

    They are found by the loss, since several steps can share an accuracy.
    """
    pairs = (("query_loss", "final_query_loss"), ("query_mse", "final_mse"))
    for along, last in pairs:
        block = table.block(label, "test", along, view_state.condition)
        final = table.test_values(label, last, view_state.condition)
        if block is None or final is None:
            continue
        steps = np.asarray(block.array, dtype=np.float64)
        # float32 traces differ from the stored final value in the last digits.
        same = np.isclose(steps, final[..., None], rtol=1e-4, equal_nan=True)
        each = same.all(axis=1)[np.isfinite(final).any(axis=1)]
        return sorted({int(i) for i in each[each.any(axis=1)].argmax(axis=1)})
    return []


def shots_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return every learner's performance by the number of shots."""
    metric = metric_of(run, "final")
    lines = optimization.severity_curves(run, metric).get(SHOTS)
    if not lines:
        return None
    unit = "of each class" if training.has_class_answers(run) else "points"
    count = CountAxis(SHOTS, f"Shots K ({unit})")
    return _match_height(count_figure(lines, metric, run.roles, count))


def _match_height(figure: go.Figure) -> go.Figure:
    """Make a single panel as tall as its neighbors in the grid."""
    spare = (figure.layout.margin.b or 0) - 65
    return figure.update_layout(height=HEIGHT + max(0, spare))


def gain_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return every learner's performance before and after its inner steps."""
    before = _mean_intervals(run, metric_of(run, "start"), view_state)
    after = _mean_intervals(run, metric_of(run, "final"), view_state)
    if not after:
        return None
    lost = _lost_tasks(run, view_state)
    return gain_figure(before, after, metric_of(run, "final"), run.roles, lost)


def _lost_tasks(run: Run, view_state: ViewState) -> dict[str, LostTasks]:
    """Return the diverged tasks of the learners that have any."""
    table, at = run.table, view_state.condition
    found = {label: table.test_values(label, "diverged", at) for label in run.roles}
    return {
        label: LostTasks(int(lost.sum()), lost.size)
        for label, lost in found.items()
        if lost is not None and lost.any()
    }


def _mean_intervals(
    run: Run, metric: str, view_state: ViewState
) -> dict[str, Interval]:
    table = run.table
    rows = {
        label: task_values(table, label, metric, view_state.condition)
        for label in run.roles
    }
    return {
        label: metric_interval(metric, values, share=table.criterion.share)
        for label, values in rows.items()
        if values is not None
    }


def training_chart(run: Run, view_state: ViewState) -> go.Figure | None:
    """Return the meta-training curves."""
    return training.meta_training_chart(run, run.kind.metrics.training[:2])


def _shift_charts(run: Run, view_state: ViewState) -> Iterator[NamedFigure]:
    """Yield a chart for each of the first shifts except the number of shots."""
    metric = metric_of(run, "final")
    found = optimization.severity_curves(run, metric)
    names = [shift for shift in found if shift != SHOTS][:SHIFTS_SHOWN]
    for shift in names:
        yield NamedFigure(f"shift.{shift}", _shift_chart(run, shift, metric))


@cache_by_run
def _shift_chart(run: Run, shift: str, metric: str) -> go.Figure:
    lines = optimization.severity_curves(run, metric)[shift]
    return _match_height(_shift_lines(run, shift, lines, metric))


def _shift_lines(run: Run, shift: str, lines: list[Curve], metric: str) -> go.Figure:
    word = name_in_words(shift)
    if optimization.clean_severity(run, shift):
        count = CountAxis(shift, word.capitalize())
        return count_figure(lines, metric, run.roles, count)
    made = severity_figure({shift: lines}, metric, run.roles)
    return training.set_title(made, f"{made.layout.meta['title']}: {word}")


def inner_metric_chart(
    run: Run, metric: str, view_state: ViewState
) -> go.Figure | None:
    """Return a metric of the adaptation, such as a norm; None without data."""
    found = optimization.meta_test_blocks(run, metric, view_state.condition)
    measured = [_measured_steps(run, block) for block in found]
    lines = training.extend_points(stats.make_curves(measured, metric))
    if not lines:
        return None
    view = CurveOptions(log_y=view_state.log, x_title=STEPS, height=HEIGHT)
    made = drawn.curves_figure(lines, metric, run.roles, view)
    return training.clarify_units(run, made)


def _measured_steps(run: Run, block: Block) -> Block:
    """Return a block without the steps at which it was not measured.

    After its last step a learner needs neither loss nor gradient of the support. A task
    has diverged where its answers are not finite either.
    """
    metric = "query_loss" if training.has_class_answers(run) else "query_mse"
    answers = run.table.block(block.learner, "test", metric, block.condition)
    if answers is None or answers.axes != block.axes[:3]:
        return block
    values, others = np.asarray(block.array), (0, 1, 3)[: block.array.ndim - 1]
    measured = np.isfinite(values).any(others)
    kept = measured | ~np.isfinite(answers.array).any((0, 1))
    at = tuple(np.asarray(block.coordinates("step"))[kept].tolist())
    return replace(block, array=values[:, :, kept], coords=block.coords | {"step": at})


def progress_charts(run: Run) -> Iterator[NamedFigure]:
    """Yield the charts before the tests: validation first, then training."""
    made = validation_chart(run)
    if made is not None:
        yield NamedFigure("validation", made)
    yield from training.validation_charts(run, STEPS)
    lessons = training.meta_training_chart(run, ("lesson_loss",))
    if lessons is not None:
        yield NamedFigure("training", lessons)
    rates = training.tuning_chart(run)
    if rates is not None:
        yield NamedFigure("tuning", rates)


@cache_by_run
def validation_chart(run: Run) -> go.Figure | None:
    """Return each learner's validation accuracy, or error, along its training."""
    right = training.has_class_answers(run)
    lines = [
        training.training_curve(run.table, label, "validation_error")
        for label in run.roles
    ]
    shown = [
        error_to_accuracy(line) if right else line for line in lines if line is not None
    ]
    if not shown:
        return None
    metric = metric_of(run)
    view = CurveOptions(x_title="Meta-step", height=HEIGHT)
    made = drawn.curves_figure(shown, metric, run.roles, view)
    word = "accuracy" if right else "error"
    return training.set_title(made, f"Validation {word} during meta-training")


ChartFunction = Callable[[Run, ViewState], go.Figure | None]
_CHARTS: dict[str, ChartFunction] = {
    "answers": answer_chart,
    SHOTS: shots_chart,
    "gain": gain_chart,
    "learned": training_chart,
    **CHARTS_OF_EXAMPLES,
}


CHARTS[FEW_SHOT.name] = KindCharts(
    main_charts, metrics=(*ANSWERS, *INSIDE), films=first_films
)
