"""The picture of a claim: its measured interval beside the claimed range."""

import math
from itertools import count, takewhile

from app.figures.theme import COLORS, GREY
from app.widgets.escaping import escape_html
from app.widgets.svg_picture import Ink, Picture, svg_document
from engine.stats.claims_board import StudyVerdict
from engine.stats.verdicts.wording import format_number

_COLORS = {
    "supported": COLORS["green"],
    "not supported": COLORS["red"],
    "depends": COLORS["orange"],
}
_WIDTH, _MARGIN = 360, 16
_TOP, _MIDDLE, _BOTTOM = 4, 24, 44  # of the plot; the ticks' numbers are below


def describe_estimate(verdict: StudyVerdict) -> str:
    """Return the estimate with its interval and unit."""
    if not math.isfinite(verdict.estimate):
        return "not measured"
    ends = ""
    if math.isfinite(verdict.low) and math.isfinite(verdict.high):
        ends = f" [{format_number(verdict.low)}, {format_number(verdict.high)}]"
    return f"{format_number(verdict.estimate)}{ends} {verdict.unit}".strip()


def interval_picture(verdict: StudyVerdict, ink: Ink) -> Picture:
    """Draw the estimate, its interval, 0, and the claimed range or its limit.

    Args:
        verdict: What was measured; what is not finite is left out.
        ink: Colors of text and lines.
    """
    scale = _Scale(verdict)
    parts = [_draw_claimed(verdict.claimed, scale)]
    parts += [_draw_tick(value, scale, ink) for value in scale.ticks()]
    parts.append(_line(scale.x(0.0), f'stroke="{ink.line}" stroke-width="1.2"'))
    color = _COLORS.get(verdict.verdict, GREY)
    if math.isfinite(verdict.low) and math.isfinite(verdict.high):
        low, high = scale.x(verdict.low), scale.x(verdict.high)
        parts.append(
            f'<path class="interval" d="M{low:.1f} {_MIDDLE}H{high:.1f}" '
            f'stroke="{color}" stroke-width="4"/>'
        )
    if math.isfinite(verdict.estimate):
        middle = scale.x(verdict.estimate)
        parts.append(f'<circle cx="{middle:.1f}" cy="{_MIDDLE}" r="6" fill="{color}"/>')
    alt = f"Measured {describe_estimate(verdict)}: {verdict.verdict}"
    return Picture(svg_document((_WIDTH, 64), "".join(parts)), alt)


class _Scale:
    """Values on a line that fits the measurement, the claim and 0."""

    def __init__(self, verdict: StudyVerdict) -> None:
        shown = [0.0, verdict.estimate, verdict.low, verdict.high, *verdict.claimed]
        known = [float(value) for value in shown if math.isfinite(value)]
        # Measurement and claim may both be 0.
        room = 0.06 * ((max(known) - min(known)) or 1.0)
        self._low, self._high = min(known) - room, max(known) + room

    def x(self, value: float) -> float:
        """Return where a value lies, in pixels from the left."""
        share = (value - self._low) / (self._high - self._low)
        return _MARGIN + share * (_WIDTH - 2 * _MARGIN)

    def ticks(self) -> list[float]:
        """Return three to six round values, 0 among them."""
        width = self._high - self._low
        unit = 10.0 ** math.floor(math.log10(width))
        step = next(unit * s for s in (0.2, 0.5, 1, 2) if width <= 6 * s * unit)
        every = (n * step for n in count(math.ceil(self._low / step)))
        return list(takewhile(lambda value: value <= self._high, every))


def _draw_claimed(claimed: tuple[float, ...], scale: _Scale) -> str:
    """Draw the claimed range in gray, or the value from which a claim holds, dashed."""
    if len(claimed) == 2:
        low, high = map(scale.x, claimed)
        return (
            f'<rect class="claimed" x="{low:.1f}" y="{_TOP}" width="{high - low:.1f}" '
            f'height="{_BOTTOM - _TOP}" fill="{GREY}" fill-opacity="0.28"/>'
        )
    if len(claimed) == 1:
        look = (
            f'class="claimed" stroke="{GREY}" stroke-width="2" stroke-dasharray="6 4"'
        )
        return _line(scale.x(claimed[0]), look)
    return ""


def _draw_tick(value: float, scale: _Scale, ink: Ink) -> str:
    x = scale.x(value)
    number = escape_html(f"{value:g}".replace("-", "\N{MINUS SIGN}"))
    return (
        _line(x, f'stroke="{GREY}" stroke-opacity="0.25"')
        + f'<text x="{x:.1f}" y="60" font-size="12" text-anchor="middle" '
        f'fill="{ink.text}">{number}</text>'
    )


def _line(x: float, look: str) -> str:
    return f'<path d="M{x:.1f} {_TOP}V{_BOTTOM}" {look}/>'
