"""How the four calls look, everywhere: a color, a sign and a marker; never color alone.

Blue and vermilion are told apart by everyone; equal and undecided claim nothing and so
have no color of a side.
"""

from typing import NamedTuple

from app.figures.theme import COLORS, GREY
from engine.stats.learner_claims import BETTER, CANT_TELL, EQUAL, WORSE, Call


class CallStyle(NamedTuple):
    """How one call is drawn."""

    color: str
    sign: str
    symbol: str
    css: str


CALL_STYLES: dict[Call, CallStyle] = {
    BETTER: CallStyle(COLORS["blue"], "▲", "triangle-up", "better"),
    WORSE: CallStyle(COLORS["red"], "▼", "triangle-down", "worse"),
    EQUAL: CallStyle(COLORS["teal"], "=", "square", "equal"),
    CANT_TELL: CallStyle(GREY, "?", "circle-open", "open"),
}
