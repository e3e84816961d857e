"""The part of an axis where the story is: of lines, not of what dwarfs them.

A band of few replicates can reach 1e8 and a loss fall to 1e-123. Then the axis is cut
around the lines, and the figure says so.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from app.figures.figure_parts import log_axis
from app.figures.figure_types import Floats
from engine.contract.metrics import Metric
from engine.stats.curves import Curve

WIDEST = 12.0  # decades of a log axis that are shown whole
UP, DOWN = 4.0, 8.0  # decades kept around the lines' starts, where there are more
BAND = 0.5  # decades that a band may add to a log axis at either end, at least
ROOM = 1.0  # heights of the lines that a cut band keeps at either end
DWARFED = 4.0  # heights of the lines from which on their bands are cut
FAR = 100.0  # times the lines' starts, or their typical size: beyond, they exploded
BANDS_CUT, LINES_CUT = "wide bands are cut", "the axis is cut"


class AxisRange(NamedTuple):
    """The settings of an axis, and what it cuts; empty if nothing."""

    settings: dict[str, Any]
    note: str


def metric_axis(
    curves: Sequence[Curve], kind: Metric, *, log: bool, most: int = 8
) -> AxisRange:
    """Return the axis of a panel of curves.

    Args:
        curves: The curves, with their bands.
        kind: Their metric; where it has bounds, as a share has, no band is cut.
        log: Whether the axis is logarithmic.
        most: The most ticks that fit on a log axis.
    """
    bounded = bool(np.isfinite(kind.ends).all())
    bands = [] if bounded else [end for c in curves for end in (c.low, c.high)]
    return axis_range([np.asarray(c.mean) for c in curves], bands, log=log, most=most)


def axis_range(
    lines: Sequence[Floats], bands: Sequence[Floats], *, log: bool, most: int = 8
) -> AxisRange:
    """Return an axis that shows the lines, and as much of their bands as fits.

    Args:
        lines: Values along each line, in order; NaN where there is none.
        bands: Ends of the lines' intervals.
        log: Whether the axis is logarithmic; values at or below 0 then have no place.
        most: The most ticks that fit on a log axis.

    >>> axis_range([np.array([1.0, 2.0])], [np.array([1e8])], log=False).note
    'wide bands are cut'
    >>> axis_range([np.array([1.0, 1e-123])], [], log=True).settings["range"]
    [-8.2, 0.2]
    """
    return _log_range(lines, bands, most) if log else _linear_range(lines, bands)


def _log_range(
    lines: Sequence[Floats], bands: Sequence[Floats], most: int
) -> AxisRange:
    means = [values for line in lines if len(values := _log_values(line))]
    if not means:
        return AxisRange(log_axis(most=most), "")
    every = np.concatenate(means)
    low, high = float(every.min()), float(every.max())
    note = ""
    if high - low > WIDEST:
        start = float(np.median([values[0] for values in means]))
        low, high = max(low, start - DOWN), min(high, start + UP)
        note = LINES_CUT
    ends, room = np.concatenate([np.zeros(0), *map(_log_values, bands)]), high - low
    room = BAND if note else max(BAND, ROOM * room)
    shown = ends[(ends >= low - room) & (ends <= high + room)]
    if len(shown) < len(ends):
        note = note or BANDS_CUT
    low, high = float(min([low, *shown])), float(max([high, *shown]))
    settings = log_axis(10.0 ** np.array([low, high]), most=most)
    if note:
        settings["range"] = [low - 0.2, high + 0.2]
    return AxisRange(settings, note)


def _log_values(values: Floats) -> Floats:
    """Return the logarithms of the positive values, in order."""
    flat = np.asarray(values, dtype=float).ravel()
    return np.log10(flat[np.isfinite(flat) & (flat > 0)])


def _linear_range(lines: Sequence[Floats], bands: Sequence[Floats]) -> AxisRange:
    settings = {"tickformat": "~g"}
    means, ends = _finite_values(lines), _finite_values(bands)
    if not len(means):
        return AxisRange(settings, "")
    starts = [values[0] for line in lines if len(values := _finite_values([line]))]
    size = max(np.abs(starts).max(), np.median(np.abs(means)))
    near = means[np.abs(means) <= FAR * size]
    low, high = float(near.min()), float(near.max())
    note = LINES_CUT if len(near) < len(means) else ""
    # Lines that agree still need a height.
    height = max(high - low, 0.05 * max(abs(low), abs(high)), 1e-3)
    least, most = low - ROOM * height, high + ROOM * height
    beyond = len(ends) and (ends.min() < least or ends.max() > most)
    if beyond and np.ptp([*ends, low, high]) > DWARFED * height:
        note = note or BANDS_CUT
    if not note:
        return AxisRange(settings, "")
    shown = ends[(ends >= least) & (ends <= most)]
    low, high = min([low, *shown]), max([high, *shown])
    pad = 0.04 * (high - low)
    return AxisRange({**settings, "range": [low - pad, high + pad]}, note)


def _finite_values(arrays: Sequence[Floats]) -> Floats:
    values = np.concatenate([np.zeros(0), *(np.ravel(a) for a in arrays)])
    return values[np.isfinite(values)]
