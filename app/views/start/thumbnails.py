"""Pictures of experiments: curves of a recorded run, else a symbol of the kind."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from app.client.client import Run
from app.figures.figure_types import Floats
from app.figures.theme import Style, assign_styles
from app.widgets.svg_picture import Ink, Picture, polyline, svg_document
from engine.contract.kinds import FEW_SHOT, OPTIMIZATION, RL, SEARCH
from engine.contract.metrics import metric
from engine.stats.block_table import PER_STEP

SIZE = (160, 90)
MARGIN = 8
WIDE = 30.0  # the ratio of largest and smallest value from which an axis is logarithmic
# What its tasks look like, as SVG elements on a ground of 160 by 90.
SYMBOLS = MappingProxyType(
    {
        # Contours of a valley, and a path to its bottom.
        OPTIMIZATION.name: '<ellipse cx="95" cy="48" rx="52" ry="30"/>'
        '<ellipse cx="95" cy="48" rx="33" ry="18"/>'
        '<ellipse cx="95" cy="48" rx="13" ry="7"/>'
        '<path class="ink" d="M18 14L44 68L58 30L73 57L84 43L95 48"/>',
        # A function through a few points.
        FEW_SHOT.name: '<path class="ink" d="M12 50C34 2 56 2 80 46S126 90 148 42"/>'
        '<circle cx="27" cy="26" r="4"/><circle cx="62" cy="21" r="4"/>'
        '<circle cx="96" cy="66" r="4"/><circle cx="135" cy="62" r="4"/>',
        # A grid, and a way through it to a goal.
        RL.name: '<path d="M44 9H116V81H44ZM68 9V81M92 9V81M44 33H116M44 57H116"/>'
        '<path class="ink" d="M56 69H80V45H104V21"/><circle cx="104" cy="21" r="5"/>',
        # A net of three layers.
        SEARCH.name: '<path d="M34 25L80 15M34 25L80 45M34 25L80 75M34 65L80 15M34 65'
        'L80 45M34 65L80 75M80 15L126 45M80 75L126 45"/>'
        '<path class="ink" d="M34 65L80 45L126 45"/><circle cx="34" cy="25" r="6"/>'
        '<circle cx="34" cy="65" r="6"/><circle cx="80" cy="15" r="6"/>'
        '<circle cx="80" cy="45" r="6"/><circle cx="80" cy="75" r="6"/>'
        '<circle cx="126" cy="45" r="6"/>',
    }
)


def symbol(kind: str, ink: Ink) -> Picture:
    """Return the symbol of a kind of task; a picture of nothing for an unknown one."""
    style = (
        f"ellipse,path{{fill:none;stroke:{ink.line};stroke-width:1.3}}"
        f"circle{{fill:{ink.line}}}.ink{{stroke:{ink.text};stroke-width:2.2}}"
    )
    return Picture(svg_document(SIZE, SYMBOLS.get(kind, ""), style), "")


class _Curve(NamedTuple):
    """A mean curve: its steps and values, shape (step,)."""

    step: Floats
    value: Floats


def curves(run: Run, ink: Ink) -> Picture | None:
    """Return each learner's mean curve in distribution, of the metric that is judged.

    Args:
        run: A finished run.
        ink: Colors of the axes.

    Returns:
        The picture; None if the run has no curve.
    """
    for name in (run.table.criterion.trace, *run.kind.metrics.curves):
        means = {label: _mean_curve(run, label, name) for label in run.roles}
        found = {label: curve for label, curve in means.items() if curve is not None}
        if found:
            break
    else:
        return None
    styles, placed = assign_styles(run.roles), _place(found)
    corner = SIZE[1] - MARGIN
    axes = [(MARGIN, MARGIN), (MARGIN, corner), (SIZE[0] - MARGIN, corner)]
    # The chosen learners last, so that they lie on top.
    lines = [_line(styles[label], placed[label]) for label in reversed(placed)]
    frame = polyline(axes, f'stroke="{ink.line}" stroke-width="1"')
    names = ", ".join(styles[label].name for label in found)
    return Picture(
        svg_document(SIZE, frame + "".join(lines)),
        f"{metric(name).label} along a test, of {names}.",
    )


def _mean_curve(run: Run, label: str, name: str) -> _Curve | None:
    block = run.table.block(label, "test", name)
    if block is None or block.axes != PER_STEP:
        return None
    step = np.asarray(block.coordinates("step"), dtype=np.float64)
    return _Curve(step, np.nanmean(block.array, axis=(0, 1), dtype=np.float64))


def _place(found: Mapping[str, _Curve]) -> dict[str, list[tuple[float, float]]]:
    """Return curves in the picture, on a logarithmic scale where values differ much."""
    every = np.concatenate([curve.value for curve in found.values()])
    is_log = every.min() > 0 and every.max() > WIDE * every.min()
    low, high = float(every.min()), float(every.max())
    scale = np.log if is_log else np.asarray
    bottom, span = scale(low), (scale(high) - scale(low)) or 1.0  # a constant curve
    last = max(float(curve.step[-1]) for curve in found.values()) or 1.0
    width, height = SIZE[0] - 2 * MARGIN, SIZE[1] - 3 * MARGIN
    return {
        label: [
            (MARGIN + width * step / last, MARGIN + height * (1 - up))
            for step, up in zip(
                curve.step, (scale(curve.value) - bottom) / span, strict=True
            )
        ]
        for label, curve in found.items()
    }


def _line(style: Style, points: Sequence[tuple[float, float]]) -> str:
    dashes = "none" if style.dash == "solid" else style.dash.replace("px", "")
    return polyline(
        points,
        f'stroke="{style.color}" stroke-width="{style.width:g}" '
        f'stroke-dasharray="{dashes}"',
    )
