"""The look that all figures share: colors, dashes, axes, legends, words.

One color stands for one algorithm, in every panel and in both themes. Solid and
thick is what the person chose, dashed and thin is a baseline. Backgrounds are
transparent and text has no color of its own: the page's theme gives both.
"""

import html
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

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

# Well-known labels keep one color across runs; others take what is left.
_HOMES = {
    **{"lr_scale": 0, "sgd": 1, "sgd_tuned": 2, "adam_tuned": 3, "adam": 3},
    **{"sigmoid": 4, "momentum": 5, "lstm": 6, "mlp_optimizer": 7, "rmsprop": 8},
    **{"maml": 0, "fomaml": 5, "reptile": 6, "anil": 3, "meta_sgd": 7, "maml_plus": 9},
    **{"t_net": 5, "imaml": 3, "protonet": 4, "matching": 7, "relation": 9, "r2d2": 6},
    **{"from_scratch": 1, "fine_tune": 2, "linear_probe": 3, "cosine_head": 5},
    **{"joint": 9, "feature_neighbors": 6, "raw_neighbor": 8},
    **{"random_search": 1, "regularized_evolution": 2, "reinforce": 4},
    **{"actor_critic": 7, "meta_policy": 0, "warm_evolution": 0, "tpe": 3},
}
# Names that are more than their words.
_NAMES = {
    **{"maml_plus": "MAML++", "meta_sgd": "Meta-SGD", "t_net": "T-Net"},
    **{"imaml": "iMAML", "r2d2": "R2-D2", "protonet": "ProtoNet"},
    **{"matching": "Matching nets", "relation": "Relation nets"},
    **{"fine_tune": "Pretrain, fine-tune", "joint": "Joint training"},
    **{"raw_neighbor": "Nearest neighbor", "feature_neighbors": "kNN of features"},
    **{"reinforce": "REINFORCE", "actor_critic": "Actor-critic", "tpe": "TPE"},
    **{"steady_evolution": "Evolution without aging"},
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
        width=2.8 if chosen else 2.1,
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

    >>> nice("sgd_tuned"), nice("lr_scale"), nice("maml_plus_2")
    ('SGD tuned', 'LR scale', 'MAML++ 2')
    """
    for known, name in _NAMES.items():
        if label == known or label.startswith(f"{known}_"):
            rest = label.removeprefix(known).replace("_", " ")
            return f"{name}{html.escape(rest, quote=False)}"
    upper = {"sgd", "lr", "lstm", "mlp", "pes", "es", "ppo"}
    upper |= {"maml", "fomaml", "anil", "knn"}
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


def number(value: float) -> str:
    """Return a number for the eye: three digits, no noise.

    >>> number(-0.012345), number(12345.6), number(float("nan"))
    ('−0.0123', '12,300', '–')
    >>> number(3.6e17)
    '3.6e+17'
    """
    if not np.isfinite(value):
        return "–"
    long = 1000 <= abs(value) < 1e9
    text = f"{float(f'{value:.3g}'):,.0f}" if long else f"{value:.3g}"
    return text.replace("-", "−")
