"""Made-up data of the shapes that the figures take."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from app.figures.calibration import Reliability
from app.figures.figure_types import Floats, TuningCurve
from engine.contract.events import Condition
from engine.stats.curves import Curve
from engine.stats.learner_claims import BETTER, CANT_TELL, WORSE, Call, Claim

ROLES = {
    "lr_scale": "chosen",
    "sgd": "baseline",
    "sgd_tuned": "baseline",
    "adam_tuned": "baseline",
}


def line(label: str, steps: int = 51, start: float = 0.8) -> Curve:
    x = np.arange(steps, dtype=float)
    mean = 0.1 + start * np.exp(-x / 10)
    gone = np.zeros(steps, dtype=int)
    return Curve(label, x, mean, 0.9 * mean, 1.1 * mean, n=8, missing_counts=gone)


def lines() -> list[Curve]:
    return [line(label, start=0.5 + 0.1 * i) for i, label in enumerate(ROLES)]


def reliability() -> Reliability:
    at = np.linspace(0.1, 0.9, 9)
    return Reliability(at, at**2, at**2 - 0.02, at**2 + 0.02, 8, 0.15)


def waiting() -> dict[str, Any]:
    step = np.arange(51, dtype=float)
    share = np.exp(-step / 12)
    low, high = np.maximum(share - 0.1, 0), np.minimum(share + 0.1, 1)
    curve = SimpleNamespace(step=step, share=share, low=low, high=high, n=8)
    return dict.fromkeys(ROLES, curve)


def tuning() -> TuningCurve:
    rates = np.logspace(-3, 1, 21)
    mean = np.log10(rates) ** 2 - 1.0
    mean[-2:] = np.nan
    return TuningCurve(rates, mean, mean - 0.1, mean + 0.1, 1.0, 0.3, 3.0)


def per_task(seed: int = 0) -> dict[str, Floats]:
    rng = np.random.default_rng(seed)
    values = {label: np.exp(rng.normal(-2, 0.5, (8, 8))) for label in ROLES}
    values["sgd"][0, :3] = np.nan
    return values


def claim(against: str, call: Call, **others: Any) -> Claim:
    """Return a claim about LR scale, in distribution unless another condition is given.

    Args:
        against: Label of the other learner.
        call: Its call, whatever the numbers are.
        others: Fields that differ.
    """
    usual: dict[str, Any] = {
        "learner": "lr_scale",
        "condition": Condition(),
        "metric": "steps_to_threshold",
        "difference": -1.0,
        "low": -2.0,
        "high": 0.5,
        "level": 0.95,
        "margin": 1.0,
        "primary": False,
        "decisive": False,
        "n_replicates": 8,
        "n_tasks": 8,
        "probability_of_improvement": 0.5,
    }
    return Claim(against=against, call=call, **usual | others)


def claims() -> list[Claim]:
    calls: dict[str, Call] = {
        "sgd": BETTER,
        "sgd_tuned": CANT_TELL,
        "adam_tuned": WORSE,
    }
    places = [Condition(), Condition("", "stretch", 4.0)]
    return [
        claim(against, call, condition=place, decisive=against == "sgd_tuned")
        for against, call in calls.items()
        for place in places
    ]


def film(frames: int = 12, tasks: int = 2) -> Any:
    rng = np.random.default_rng(1)
    axis = np.linspace(-3, 3, 40)
    arrays: dict[str, Any] = {
        f"{label}/grid": rng.integers(0, 256, (tasks, frames, 40, 40), dtype=np.uint8)
        for label in ROLES
    }
    arrays |= {"x": axis, "y": axis, "frames": np.arange(frames) * 2}
    arrays |= {"points": rng.normal(size=(tasks, 64, 2))}
    arrays |= {"labels": np.tile([0, 1], (tasks, 32))}
    return SimpleNamespace(arrays=arrays, info={"form": "boundary", "tasks": tasks})


def paths(steps: int = 200) -> Any:
    rng = np.random.default_rng(2)
    axis = np.linspace(-2, 2, 40)
    arrays: dict[str, Any] = {
        f"{label}/path": rng.normal(size=(1, steps + 1, 2)) for label in ROLES
    }
    arrays |= {"x": axis, "y": axis, "surface": rng.normal(size=(1, 40, 40))}
    return SimpleNamespace(arrays=arrays, info={"form": "path", "tasks": 1})
