"""Made-up films and snapshots of few-shot runs."""

from types import SimpleNamespace
from typing import Any

import numpy as np

ROLES = {"maml": "chosen", "from_scratch": "baseline", "protonet": "baseline"}
STEPS = {"maml": 6, "from_scratch": 3, "protonet": 1}


def adaptation(tasks: int = 3, points: int = 41) -> Any:
    rng = np.random.default_rng(3)
    x = np.linspace(-5, 5, points).astype(np.float32)
    truth = np.stack([(t + 1) * np.sin(x + t) for t in range(tasks)])
    arrays: dict[str, Any] = {"x": x, "truth": truth.astype(np.float32)}
    places = rng.integers(0, points, (tasks, 5))
    arrays["support_x"] = x[places]
    arrays["support_y"] = np.take_along_axis(arrays["truth"], places, 1)
    for label, steps in STEPS.items():
        curve = truth[:, None] * np.linspace(0.1, 0.9, steps)[None, :, None]
        arrays[f"{label}/steps"] = 2 * np.arange(steps)
        arrays[f"{label}/curve"] = curve.astype(np.float32)
        arrays[f"{label}/mse"] = ((curve - truth[:, None]) ** 2).mean(2)
    info: dict[str, Any] = {
        "form": "adaptation",
        "tasks": tasks,
        "which": ["worst", "median", "best"],
    }
    info["answers"] = {"maml": 4, "from_scratch": 4, "protonet": 0}
    return SimpleNamespace(arrays=arrays, info=info)


def episode(ways: int = 5, shots: int = 2, queries: int = 3, side: int = 6) -> Any:
    """An episode of images; with side 0 of vectors."""
    rng = np.random.default_rng(4)
    support_y = np.repeat(np.arange(ways), shots)[None]
    query_y = np.repeat(np.arange(ways), queries)[None]
    arrays: dict[str, Any] = {"support_y": support_y, "query_y": query_y}
    for name, y in (("support", support_y), ("query", query_y)):
        if side:
            shape = (1, y.shape[1], side, side)
            arrays[name] = rng.integers(0, 256, shape, dtype=np.uint8)
        else:
            noise = rng.normal(size=(1, y.shape[1], 7))
            arrays[f"{name}_x"] = (noise + 5 * y[..., None]).astype(np.float32)
    for i, label in enumerate(ROLES):
        answer = query_y.copy()
        answer[0, i::4] = (answer[0, i::4] + 1) % ways
        arrays[f"{label}/answer"] = answer
        arrays[f"{label}/accuracy"] = (answer == query_y).mean(1)
    return SimpleNamespace(arrays=arrays, info={"form": "episode", "tasks": 1})


def snapshots(ways: int = 4, features: int = 9) -> dict[str, list[Any]]:
    rng = np.random.default_rng(5)
    y = np.repeat(np.arange(ways), 6)
    ends = rng.normal(size=(ways, features)) * 4
    noise = rng.normal(size=(len(y), features))
    return {
        label: [
            SimpleNamespace(
                arrays={
                    "support": (noise + step / 30 * ends[y])[::3],
                    "query": (noise + step / 30 * ends[y])[1::3],
                    "support_y": y[::3],
                    "query_y": y[1::3],
                },
                info={"learner": label, "meta_step": step},
            )
            for step in (20, 0, 10, 30)
        ]
        for label in ("maml", "protonet")
    }


def beliefs(tasks: int = 3, points: int = 41) -> Any:
    """A film whose learners were asked on 1 to 5 examples; MAML has a density."""
    film = adaptation(tasks, points)
    truth = film.arrays["truth"]
    share = np.linspace(0.2, 1.0, 5)[None, :, None]
    for i, label in enumerate(ROLES):
        curve = (truth[:, None] * share + i).astype(np.float32)
        film.arrays[f"{label}/examples/counts"] = np.arange(1, 6)
        film.arrays[f"{label}/examples/curve"] = curve
        mse = ((curve - truth[:, None]) ** 2).mean(2)
        film.arrays[f"{label}/examples/mse"] = mse
    curve = film.arrays["maml/examples/curve"]
    film.arrays["maml/examples/low"] = curve - 1 / share.astype(np.float32)
    film.arrays["maml/examples/high"] = curve + 1 / share.astype(np.float32)
    offsets = np.linspace(-1, 1, 5, dtype=np.float32)[:, None]
    film.arrays["maml/examples/samples"] = curve[:, :, None] + offsets
    return film
