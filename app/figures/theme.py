"""The style that all figures share: colors, dashes, names, number format.

An algorithm has one color, in every panel and in both themes. Chosen learners are
solid and thick, baselines dashed and thin. Backgrounds are transparent and text has
no color of its own: both come from the page's theme.
"""

import html
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from engine.contract.learner_appearance import (
    Hue,
    appearances,
    name_in_words,
    split_label,
)
from engine.contract.metrics import metric

Role = Literal["chosen", "baseline"]

# Found by annealing: luminance with contrast 3:1 on both backgrounds, then the smallest
# distance under normal, protan, deutan and tritan vision maximized.
COLORS: dict[Hue, str] = {
    "blue": "#2f7cf6",
    "red": "#ca3401",
    "teal": "#06796a",
    "pink": "#c66eb3",
    "purple": "#7e51ae",
    "orange": "#ce6b1f",
    "green": "#3f9552",
    "magenta": "#c53f89",
    "gray": "#8d9483",
    "brown": "#a24b49",
}
PALETTE = tuple(COLORS.values())
GREY = "#808995"
GRID = "rgba(128,137,149,0.20)"
ZERO = "rgba(128,137,149,0.55)"
INTERVAL_NAME = "95 % interval"
PERCENT = ".3~%"  # ticks of shares

_DASHES = ("7px,3px", "2px,3px", "9px,3px,2px,3px", "12px,3px", "4px,2px")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "star")


class Style(NamedTuple):
    """How one learner is drawn, everywhere."""

    label: str
    role: Role
    color: str
    dash: str
    width: float
    symbol: str
    rank: int = 1000

    @property
    def name(self) -> str:
        """Return the learner's name in legends."""
        return learner_name(self.label)

    @property
    def line(self) -> dict[str, Any]:
        """Return the style as a Plotly line."""
        return {"color": self.color, "dash": self.dash, "width": self.width}

    def fill(self, alpha: float = 0.16) -> str:
        """Return the color for a band."""
        return with_alpha(self.color, alpha)


def learner_style(label: str, role: str, index: int) -> Style:
    """Return how a learner is drawn.

    Args:
        label: The learner's label in the spec.
        role: "chosen" is solid and thick; anything else is broken and thin.
        index: Position in the palette; past its end the colors repeat and only
            dash and symbol differ.
    """
    chosen = role == "chosen"
    return Style(
        label=label,
        role="chosen" if chosen else "baseline",
        color=PALETTE[index % len(PALETTE)],
        dash="solid" if chosen else _DASHES[index % len(_DASHES)],
        width=2.8 if chosen else 2.1,
        symbol=_SYMBOLS[index % len(_SYMBOLS)],
    )


def assign_styles(roles: Mapping[str, str]) -> dict[str, Style]:
    """Return the style of each learner of a run, none sharing a color.

    Args:
        roles: Role by label, in the spec's order. The same mapping gives the same
            colors, whichever learners a panel happens to show.
    """
    slots: dict[str, int] = {}
    for label in roles:
        hue = preferred_hue(label)
        if hue and list(COLORS).index(hue) not in slots.values():
            slots[label] = list(COLORS).index(hue)
    free = [i for i in range(len(PALETTE)) if i not in slots.values()]
    rest = [label for label in roles if label not in slots]
    slots.update(zip(rest, free, strict=False))
    for extra, label in enumerate(rest[len(free) :]):
        slots[label] = len(PALETTE) + extra
    return {
        label: learner_style(label, role, slots[label])._replace(rank=rank)
        for rank, (label, role) in enumerate(roles.items(), 1)
    }


def with_alpha(color: str, alpha: float) -> str:
    """Return a hex color with an opacity.

    >>> with_alpha("#ff8000", 0.5)
    'rgba(255,128,0,0.5)'
    """
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def preferred_hue(label: str) -> Hue | Literal[""]:
    """Return the color that a learner's part prefers; empty if none.

    >>> preferred_hue("sgd"), preferred_hue("sgd_tuned"), preferred_hue("sgd_2")
    ('red', 'teal', '')
    """
    name, rest = split_label(label)
    if not name or rest not in ("", "_tuned"):
        return ""
    style = appearances()[name]
    return style.tuned_hue if rest else style.hue


def learner_name(label: str) -> str:
    """Return a learner's display name.

    >>> learner_name("sgd_tuned"), learner_name("maml_plus_2"), learner_name("my_net")
    ('SGD tuned', 'MAML++ 2', 'My net')
    """
    name, rest = split_label(label)
    if not name:
        return capitalize_name(label)
    return f"{appearances()[name].name}{html.escape(name_in_words(rest), quote=False)}"


def capitalize_name(name: str) -> str:
    """Return a display name of anything but a learner, with markup escaped.

    >>> capitalize_name("feature_noise"), capitalize_name("<b>")
    ('Feature noise', '&lt;b&gt;')
    """
    text = html.escape(name_in_words(name), quote=False)
    return text[:1].upper() + text[1:]


def axis_title(name: str) -> str:
    """Return label and unit of a metric; the ticks of a share are in percent.

    >>> axis_title("loss"), axis_title("accuracy")
    ('Training loss (nats)', 'Held-out accuracy')
    """
    known = metric(name)
    bare = known.share or not known.unit
    return known.label if bare else f"{known.label} ({known.unit})"


def format_number(value: float) -> str:
    """Format a number with three significant digits.

    >>> format_number(-0.012345), format_number(12345.6), format_number(float("nan"))
    ('−0.0123', '12,300', '–')
    >>> format_number(3.6e17)
    '3.6e+17'
    """
    if not np.isfinite(value):
        return "–"
    long = 1000 <= abs(value) < 1e9
    text = f"{float(f'{value:.3g}'):,.0f}" if long else f"{value:.3g}"
    return text.replace("-", "−")


def format_with_range(mean: float, low: float, high: float) -> str:
    """Format a mean, and the smallest and largest of its numbers if they differ.

    >>> format_with_range(0.2, 0.1, 0.4), format_with_range(0.3, 0.3, 0.3)
    ('0.2 (0.1 to 0.4)', '0.3')
    """
    if low == high:
        return format_number(mean)
    return f"{format_number(mean)} ({format_number(low)} to {format_number(high)})"
