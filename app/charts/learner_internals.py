"""Charts of few-shot learners: embeddings, attention, gradient norms, learned rates."""

from collections.abc import Callable, Iterator

import numpy as np
import plotly.graph_objects as go

from app.charts import training
from app.charts.chart_options import ResponsiveFigure
from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures.animation import FilmOptions, sample_frames
from app.figures.curves import curves_figure
from app.figures.embedding import embedding_figure
from app.figures.figure_types import CurveOptions, Floats
from app.figures.layer_heatmap import LayerGrid, layers_figure
from app.figures.maps import AXES, maps_figure
from engine.contract.events import Block
from engine.stats.block_table import BlockTable
from engine.stats.curves import Curve

CHECKS = 10  # learned rates are shown at up to so many meta-steps
COSINE = "Line: cosine of the first-order meta-gradient with the exact one, mean over "
COSINE += "replicates. At 1, second derivatives change nothing. Band: 95 % interval."
SPREAD = "Line: standard deviation over particles of their predictions after "
SPREAD += "adaptation, mean over replicates. At 0, all particles are one."


def embedding_chart(run: Run) -> ResponsiveFigure | None:
    """Return the embedding of an episode along training; None if not recorded."""

    def make() -> ResponsiveFigure | None:
        found = run.snapshots()
        if not found:
            return None
        wide, narrow = (
            embedding_figure(found, run.roles, shown)
            for shown in (
                FilmOptions(columns=3),
                FilmOptions(columns=2, only_layout=True),
            )
        )
        return ResponsiveFigure("embedding", wide, narrow)

    return get_or_make(("embedding", run.cache_key), make)


def inside_charts(run: Run) -> Iterator[ResponsiveFigure]:
    """Yield the charts of gradient norms, learned rates and cosine that a run has."""
    table = run.table
    for metric, grids in (
        (
            "inner_grad_norm",
            _by_learner(run, lambda label: _gradient_norms(table, label)),
        ),
        ("inner_lr", _by_learner(run, lambda label: _learned_rates(table, label))),
    ):
        if grids:
            wide, narrow = (
                layers_figure(grids, metric, run.roles, FilmOptions(columns=columns))
                for columns in (2, 1)
            )
            yield ResponsiveFigure(f"layers.{metric}", wide, narrow)
    for name, chart in (
        ("meta_cosine", _cosine_chart(run)),
        ("particle_spread", _spread_chart(run)),
    ):
        if chart is not None:
            yield ResponsiveFigure(name, chart)


def map_charts(run: Run) -> Iterator[ResponsiveFigure]:
    """Yield the maps of attention and of memory usage that a run has."""
    for metric in AXES:
        found = {label: _newest_map(run.table, label, metric) for label in run.roles}
        maps = {label: values for label, values in found.items() if values is not None}
        if not maps:
            continue
        wide, narrow = (
            maps_figure(maps, metric, run.roles, FilmOptions(columns=columns))
            for columns in (3, 1)
        )
        yield ResponsiveFigure(f"map.{metric}", wide, narrow)


def _newest_map(table: BlockTable, label: str, metric: str) -> Floats | None:
    """Return a learner's newest map of the first replicate, rows by columns."""
    key = (label, "validate", metric)
    found = [b for b in table.blocks if (b.learner, b.phase, b.metric) == key]
    if not found:
        return None
    block = max(found, key=_meta_step)
    values = np.asarray(block.array, dtype=np.float64)[0, 0]
    # Time runs from left to right.
    return values.T if block.axes[-2:] == ("time", "slot") else values


def _by_learner(
    run: Run, look: Callable[[str], LayerGrid | None]
) -> dict[str, LayerGrid]:
    found = {label: look(label) for label in run.roles}
    return {label: grid for label, grid in found.items() if grid is not None}


def _gradient_norms(table: BlockTable, label: str) -> LayerGrid | None:
    """Return the inner gradient's norm by layer and inner step, in distribution."""
    block = table.block(label, "test", "inner_grad_norm")
    if block is None or block.axes != ("replicate", "task", "step", "layer"):
        return None
    values = np.asarray(block.array, dtype=np.float64)
    sound = np.isfinite(values) & (values > 0)
    count = sound.sum(axis=(0, 1))
    total = np.log(values, where=sound, out=np.zeros_like(values)).sum(axis=(0, 1))
    # A geometric mean, so that one exploding task does not hide all others.
    mean = np.where(count > 0, np.exp(total / np.maximum(count, 1)), np.nan)
    return LayerGrid(mean.T, block.coordinates("step"))


def _learned_rates(table: BlockTable, label: str) -> LayerGrid | None:
    """Return the learned rates by layer, and by inner step or along meta-training."""
    found = sorted(_layer_blocks(table, label, "inner_lr"), key=lambda b: _meta_step(b))
    if not found:
        return None
    means = [np.asarray(block.array, dtype=np.float64).mean(axis=0) for block in found]
    if "inner_step" in found[-1].axes:
        columns = tuple(s + 1 for s in found[-1].coordinates("inner_step"))
        return LayerGrid(means[-1][0], columns)
    shown = sample_frames(len(found), CHECKS)
    values = np.stack([means[i][0] for i in shown], axis=1)
    return LayerGrid(values, tuple(_meta_step(found[i]) for i in shown), "meta-step")


def _layer_blocks(table: BlockTable, label: str, metric: str) -> list[Block]:
    return [
        block
        for block in table.blocks
        if (block.learner, block.phase, block.metric) == (label, "validate", metric)
        and "layer" in block.axes
    ]


def _meta_step(block: Block) -> float:
    return block.coordinates("step")[0]


def _cosine_chart(run: Run) -> go.Figure | None:
    lines = _training_curves(run, "meta_cosine")
    if not lines:
        return None
    made = _training_figure(run, lines, "meta_cosine", COSINE)
    lows = [float(np.nan_to_num(line.mean, nan=1.0).min()) for line in lines]
    made.update_yaxes(range=[min(-0.05, *lows) - 0.05, 1.08])
    return made


def _spread_chart(run: Run) -> go.Figure | None:
    lines = _training_curves(run, "particle_spread")
    return _training_figure(run, lines, "particle_spread", SPREAD) if lines else None


def _training_curves(run: Run, metric: str) -> list[Curve]:
    found = (training.training_curve(run.table, label, metric) for label in run.roles)
    return [line for line in found if line is not None]


def _training_figure(
    run: Run, lines: list[Curve], metric: str, how_to_read: str
) -> go.Figure:
    view = CurveOptions(x_title="Meta-step", height=260)
    made = curves_figure(lines, metric, run.roles, view)
    made.update_layout(meta={**made.layout.meta, "how_to_read": how_to_read})
    return made
