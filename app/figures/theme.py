"""The look that all figures share: colors, dashes, axes, legends, words.

One color stands for one algorithm, in every panel and in both themes. Solid and
thick is what the person chose, dashed and thin is a baseline. Backgrounds are
transparent and text has no color of its own: the page's theme gives both.
"""

import html
import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import numpy as np
import plotly.graph_objects as go

from engine.contract.metrics import metric

Role = Literal["chosen", "baseline"]

BACKGROUND_LIGHT = "#ffffff"
BACKGROUND_DARK = "#0e1117"
# Found by annealing: luminance such that each has 3:1 on both backgrounds, then the
# smallest distance under normal, protan, deutan and tritan sight made large.
PALETTE_LIGHT: tuple[str, ...] = (
    *("#2f7cf6", "#ca3401", "#06796a", "#c66eb3", "#7e51ae"),
    *("#ce6b1f", "#3f9552", "#c53f89", "#8d9483", "#a24b49"),
)
PALETTE_DARK = PALETTE_LIGHT
GREY = "#808995"
GRID = "rgba(128,137,149,0.20)"
ZERO = "rgba(128,137,149,0.55)"
LEVEL = "95 % interval"
MAX_POINTS = 2_000

# Well-known labels keep one color across runs; others take what is left.
_HOMES = {
    **{"lr_scale": 0, "sgd": 1, "sgd_tuned": 2, "adam_tuned": 3, "adam": 3},
    **{"sigmoid": 4, "momentum": 5, "lstm": 6, "mlp_optimizer": 7, "rmsprop": 8},
}
_BROKEN = ("7px,3px", "2px,3px", "9px,3px,2px,3px", "12px,3px", "4px,2px")
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
    def line(self) -> dict[str, Any]:
        """Return the style as a Plotly line."""
        return {"color": self.color, "dash": self.dash, "width": self.width}

    def fill(self, alpha: float = 0.16) -> str:
        """Return the color for a band."""
        return translucent(self.color, alpha)


def style(label: str, role: str, index: int) -> Style:
    """Return how a learner is drawn.

    Args:
        label: The learner's label in the spec.
        role: "chosen" is solid and thick; anything else is broken and thin.
        index: Place in the palette; past its end the colors come again and only
            dash and symbol tell two learners apart.
    """
    chosen = role == "chosen"
    return Style(
        label=label,
        role="chosen" if chosen else "baseline",
        color=PALETTE_LIGHT[index % len(PALETTE_LIGHT)],
        dash="solid" if chosen else _BROKEN[index % len(_BROKEN)],
        width=2.8 if chosen else 1.9,
        symbol=_SYMBOLS[index % len(_SYMBOLS)],
    )


def styles(roles: Mapping[str, str]) -> dict[str, Style]:
    """Return the style of each learner of a run, none sharing a color.

    Args:
        roles: Role by label, in the spec's order. The same mapping gives the same
            colors, whichever learners a panel happens to show.
    """
    slots: dict[str, int] = {}
    for label in roles:
        home = _HOMES.get(label)
        if home is not None and home not in slots.values():
            slots[label] = home
    free = [i for i in range(len(PALETTE_LIGHT)) if i not in slots.values()]
    rest = [label for label in roles if label not in slots]
    slots.update(zip(rest, free, strict=False))
    for extra, label in enumerate(rest[len(free) :]):
        slots[label] = len(PALETTE_LIGHT) + extra
    return {
        label: style(label, role, slots[label])._replace(rank=rank)
        for rank, (label, role) in enumerate(roles.items(), 1)
    }


def translucent(color: str, alpha: float) -> str:
    """Return a hex color with an opacity.

    >>> translucent("#ff8000", 0.5)
    'rgba(255,128,0,0.5)'
    """
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def nice(label: str) -> str:
    """Return a label for the eye.

    >>> nice("sgd_tuned"), nice("lr_scale")
    ('SGD tuned', 'LR scale')
    """
    upper = {"sgd", "lr", "lstm", "mlp", "pes", "es", "ppo"}
    names = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop"}
    names |= {"adagrad": "Adagrad", "nesterov": "Nesterov"}
    words = [w.upper() if w in upper else names.get(w, w) for w in label.split("_")]
    text = html.escape(" ".join(words), quote=False)
    return text[:1].upper() + text[1:]


def axis_title(name: str) -> str:
    """Return label and unit of a metric.

    >>> axis_title("loss")
    'Training loss (nats)'
    """
    known = metric(name)
    return f"{known.label} ({known.unit})" if known.unit else known.label


def figure(
    traces: Iterable[Any] = (), *, title: str, read: str, alt: str, height: int = 320
) -> go.Figure:
    """Return a figure in the house's look.

    Args:
        traces: Plotly traces.
        title: What the panel shows; kept in `meta` for exports, for the page
            writes its own headings.
        read: One line on how to read it.
        alt: What is in the picture, for those who do not see it.
        height: Pixels.
    """
    made = go.Figure(list(traces))
    dress(made, title=title, read=read, alt=alt, height=height)
    return made


def dress(made: go.Figure, *, title: str, read: str, alt: str, height: int) -> None:
    """Give a figure, such as one of subplots, the house's look."""
    made.update_layout(
        template=_template(),
        meta={"title": title, "how_to_read": read, "alt": alt},
        height=height,
        margin={"l": 8, "r": 12, "t": 30, "b": 8},
        uirevision="metascope",
    )


def _template() -> go.layout.Template:
    axis = {
        **{"gridcolor": GRID, "zerolinecolor": GRID, "linecolor": ZERO},
        **{"automargin": True, "ticks": "outside", "ticklen": 4, "tickcolor": GRID},
        **{"showline": False, "zeroline": False},
        "title": {"standoff": 6, "font": {"size": 12}},
    }
    return go.layout.Template(
        layout={
            **{"paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)"},
            **{"colorway": list(PALETTE_LIGHT), "hovermode": "x unified"},
            **{"xaxis": axis, "yaxis": axis, "font": {"size": 12}, "dragmode": "zoom"},
            "hoverlabel": {"namelength": -1, "font": {"size": 12}},
            "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": GREY},
        }
    )


def y_caption(made: go.Figure, text: str, *, row: int = 1, col: int = 1) -> None:
    """Write what the vertical axis measures above it, level: no turned head."""
    made.add_annotation(
        text=text,
        **{"x": 0, "y": 1, "xref": "x domain", "yref": "y domain"},
        **{"xanchor": "left", "yanchor": "bottom", "yshift": 4, "showarrow": False},
        **{"align": "left", "font": {"size": 13}},
        **({"row": row, "col": col} if made._grid_ref is not None else {}),
    )


def legend_below(made: go.Figure, labels: Iterable[str], *, base: int = 44) -> None:
    """Put the legend under the plot, in room kept for it even at 390 px.

    Args:
        made: The figure.
        labels: What the legend will say; sets how many rows a phone needs.
        base: Pixels that tick labels and the axis title take.
    """
    rows = legend_rows(labels)
    made.update_layout(
        margin_b=base + 21 * rows,
        height=(made.layout.height or 320) + 21 * (rows - 1),
        legend={
            **{"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom"},
            **{"xref": "container", "x": 0, "xanchor": "left"},
            **{"itemwidth": 34, "bgcolor": "rgba(0,0,0,0)", "tracegroupgap": 0},
        },
    )


def legend_rows(labels: Iterable[str], *, width: int = 340) -> int:
    """Return how many rows a legend takes on a narrow screen, at most four.

    >>> legend_rows(["SGD", "Adam"]), legend_rows(["a learner of long name"] * 3)
    (1, 3)
    """
    rows, used = 1, 0
    for label in labels:
        need = 7 * len(label) + 52
        rows, used = (
            (rows + 1, need) if used and used + need > width else (rows, used + need)
        )
    return min(rows, 4)


def log_axis(*values: Any, most: int = 8) -> dict[str, Any]:
    """Return the settings of a log axis with few ticks, each a whole number.

    Args:
        values: What will be drawn; only its range matters.
        most: Ticks that there is room for.

    >>> log_axis(np.array([1e-3, 10.0]), most=6)["dtick"], log_axis([0.1, 1])["dtick"]
    (1, 'D2')
    """
    flat = np.concatenate([np.zeros(0), *(np.ravel(v) for v in values)])
    flat = flat[np.isfinite(flat) & (flat > 0)]
    low, high = (flat.min(), flat.max()) if len(flat) else (1.0, 10.0)
    decades = float(np.log10(high / low))
    settings = {"type": "log", "tickformat": "~g", "tick0": 0}
    if decades < 0.7:
        return settings | {"dtick": f"L{_round_step((high - low) / 4, low):.3g}"}
    coarse = max(1, math.ceil(decades / most))
    return settings | {"dtick": "D2" if 3 * decades <= most else coarse}


def _round_step(width: float, low: float) -> float:
    width = max(width, low / 20)
    unit = 10 ** math.floor(math.log10(width))
    return unit * min((1, 2, 5, 10), key=lambda k: abs(k - width / unit))


def names_axis() -> dict[str, Any]:
    """Return the settings of an axis of names: no grid, air before the plot."""
    return {"showgrid": False, "ticklen": 6, "tickcolor": "rgba(0,0,0,0)"}


def positive(values: np.ndarray) -> tuple[np.ndarray, int]:
    """Blank what a log axis cannot show and count it.

    Returns:
        The values with those at or below 0 as NaN, and how many there were.
    """
    values = np.asarray(values, dtype=float)
    bad = values <= 0
    return np.where(bad, np.nan, values), int(bad.sum())


def footnote(made: go.Figure, *lines: str) -> None:
    """Write remarks above the plot's right end and keep them in `meta`."""
    said = [line for line in lines if line]
    if not said:
        return
    made.update_layout(
        meta={**made.layout.meta, "notes": said},
        margin_t=(made.layout.margin.t or 30) + 15 * (len(said) - 1),
    )
    made.add_annotation(
        text="<br>".join(said),
        **{"x": 1, "y": 1, "xref": "paper", "yref": "paper", "showarrow": False},
        **{"xanchor": "right", "yanchor": "bottom", "yshift": 5, "align": "right"},
        **{"font": {"size": 11}, "opacity": 0.85, "name": "notes"},
    )


def counted(n: Any) -> str:
    """Say what a band is, with its n.

    >>> counted([8, 8, 7]), counted(1)
    ('95 % interval, n = 7–8', 'n = 1: no interval')
    """
    counts = np.atleast_1d(np.asarray(n, dtype=int))
    counts = counts[counts > 0]
    if not len(counts) or counts.max() < 2:
        return "n = 1: no interval"
    low, high = counts.min(), counts.max()
    return f"{LEVEL}, n = {high}" if low == high else f"{LEVEL}, n = {low}–{high}"


def band(
    x: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    look: Style,
    *,
    stairs: bool = False,
) -> go.Scatter | None:
    """Return the area between two lines, or None where there is none.

    Args:
        x: Positions, ascending, shape (n,).
        low: Lower ends; NaN leaves a position out.
        high: Upper ends.
        look: Whose band it is.
        stairs: Values hold from one position to the next.
    """
    there = np.isfinite(low) & np.isfinite(high)
    if there.sum() < 2 or not (high > low).any():
        return None
    chosen = thin(x, high - low, MAX_POINTS // (4 if stairs else 2) - 40)
    x, low, high, there = x[chosen], low[chosen], high[chosen], there[chosen]
    ends = np.flatnonzero(np.diff(there)) + 1
    parts = [part for part in np.split(np.arange(len(x)), ends) if there[part[0]]]
    loops = [_loop(x[p], low[p], high[p], stairs) for p in parts]
    return go.Scatter(
        x=np.concatenate([loop[0] for loop in loops])[:-1],
        y=np.concatenate([loop[1] for loop in loops])[:-1],
        **{"mode": "lines", "line": {"width": 0}, "fill": "toself"},
        **{"fillcolor": look.fill(), "hoverinfo": "skip", "showlegend": False},
        **{"legendgroup": look.label, "uid": f"{look.label}:band"},
        name=f"{nice(look.label)}, {LEVEL}",
    )


def _loop(
    x: np.ndarray, low: np.ndarray, high: np.ndarray, stairs: bool
) -> tuple[np.ndarray, np.ndarray]:
    if stairs:
        x = np.repeat(x, 2)[1:]
        low, high = np.repeat(low, 2)[:-1], np.repeat(high, 2)[:-1]
    around = np.concatenate([x, x[::-1], [np.nan]])
    return around, np.concatenate([high, low[::-1], [np.nan]])


def thin(x: np.ndarray, y: np.ndarray, limit: int = MAX_POINTS) -> np.ndarray:
    """Return indices that keep each stretch's lowest and highest value.

    Args:
        x: Positions, ascending, shape (n,).
        y: Values, shape (n,); NaN allowed.
        limit: Most points that may stay.
    """
    count = len(x)
    if count <= limit:
        return np.arange(count)
    edges = np.linspace(0, count, (limit - 2) // 2 + 1).astype(int)
    kept = {0, count - 1}
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        part = y[start:stop]
        if not np.isfinite(part).any():
            kept.add(int(start))
            continue
        kept |= {start + int(np.nanargmin(part)), start + int(np.nanargmax(part))}
    return np.array(sorted(kept))


def number(value: float) -> str:
    """Return a number for the eye: three digits, no noise.

    >>> number(-0.012345), number(12345.6), number(float("nan"))
    ('−0.0123', '12,300', '–')
    """
    if not np.isfinite(value):
        return "–"
    long = abs(value) >= 1000
    text = f"{float(f'{value:.3g}'):,.0f}" if long else f"{value:.3g}"
    return text.replace("-", "−")
