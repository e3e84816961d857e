"""Learners of several runs in one chart: a color per learner, a dash per run."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import plotly.graph_objects as go

from app.charts import CHARTS, training
from app.client.client import Run
from app.figures.curves import curves_figure
from app.figures.figure_types import CurveOptions
from app.figures.theme import Style, assign_styles
from engine.contract.events import Block
from engine.contract.run_facts import learner_in_words
from engine.stats.block_table import IN_DISTRIBUTION, is_trained
from engine.stats.diverged_tasks import count_diverged, has_diverged
from engine.stats.independent_units import regroup_units
from engine.stats.inference.intervals import Interval
from engine.stats.inference.metric_intervals import metric_interval

_DASHES = (
    "solid",
    "7px,3px",
    "2px,3px",
    "9px,3px,2px,3px",
    "14px,4px",
    "4px,2px",
    "2px,6px",
    "14px,3px,2px,3px,2px,3px",
)


_SHORT = 24  # characters of a run in a legend, which must fit on a phone


class Line(NamedTuple):
    """A learner of one of the compared runs.

    Args:
        run: The run.
        place: Its place among the compared runs, from 0.
        title: Its name on the page.
        label: The learner's label in the run.
    """

    run: Run
    place: int
    title: str
    label: str

    @property
    def name(self) -> str:
        """Return the name of the line: learner, and run in short."""
        short = self.title if len(self.title) <= _SHORT else f"{self.title[:_SHORT]}…"
        return f"{learner_in_words(self.label)}, {short}"

    @property
    def role(self) -> str:
        """Return the learner's role in its run."""
        return self.run.roles[self.label]

    def tests(self, metric: str) -> list[Block]:
        """Return the learner's tests of a metric in distribution."""
        return [
            block
            for block in self.run.blocks
            if block.learner == self.label
            and (block.phase, block.metric) == ("test", metric)
            and block.condition == IN_DISTRIBUTION
        ]


def comparison_chart(lines: Sequence[Line], metric: str) -> go.Figure | None:
    """Return one metric of all lines; None if none of them was tested by it.

    Args:
        lines: The learners that are shown.
        metric: The metric.
    """
    tested = [(line, line.tests(metric)) for line in lines]
    every = [np.asarray(block.array) for _, found in tested for block in found]
    capped, curves = has_diverged(metric, every), []
    for line, found in tested:
        make = CHARTS[line.run.kind.name].line
        drawn = (make(line.run, block, capped) for block in found)
        curves += [each._replace(learner=line.name) for each in drawn if each]
    if not curves:
        return None
    named = {line.run.kind.words.step for line in lines}
    view = CurveOptions(height=380, x_title=named.pop() if len(named) == 1 else "Step")
    styles = line_styles(lines)
    roles = {name: style.role for name, style in styles.items()}
    return curves_figure(
        training.extend_points(curves), metric, roles, view, styles=styles
    )


def line_styles(lines: Sequence[Line]) -> Mapping[str, Style]:
    """Return the style of each line by its name: learners of a label share a color."""
    labels = {line.label: line.role for line in lines}
    colors = assign_styles(labels)
    return {
        line.name: colors[line.label]._replace(
            label=line.name,
            role="chosen" if line.role == "chosen" else "baseline",
            dash=_DASHES[line.place % len(_DASHES)],
            width=2.6 if line.role == "chosen" else 1.8,
            rank=rank,
        )
        for rank, line in enumerate(lines, 1)
    }


def line_level(line: Line, metric: str, *, capped: bool) -> Interval | None:
    """Return a learner's mean with its interval; None if it was not tested.

    Args:
        line: The learner.
        metric: A metric of its tests, in distribution.
        capped: Whether diverged tasks count as the worst value.
    """
    values = unit_rows(line, metric)
    if values is None:
        return None
    share = line.run.table.criterion.share
    counted = count_diverged(metric, values) if capped else values
    return metric_interval(metric, counted, share=share)


def unit_rows(line: Line, metric: str) -> np.ndarray | None:
    """Return a learner's numbers by independent unit; None if it was not tested."""
    table = line.run.table
    values = table.test_values(line.label, metric)
    if values is None or not table.criterion.pools:
        return values
    return regroup_units(values, trained=is_trained(table, line.run.spec, line.label))
