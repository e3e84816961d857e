"""Made-up searches of a small space, of the shape that an artefact has."""

from types import SimpleNamespace
from typing import Any

import numpy as np

ROLES = {"reinforce": "chosen", "random_search": "baseline"}
CELL = (("none", "conv", "pool"),) * 3
LIST = (("one", "two"), ("relu", "tanh", "gelu"), ("wide", "thin"))


def film(*, cell: bool = True, steps: int = 40, tasks: int = 2) -> Any:
    rng = np.random.default_rng(5)
    options = CELL if cell else LIST
    size = int(np.prod([len(names) for names in options]))
    scores = rng.random(size).astype(np.float32)
    arrays: dict[str, Any] = {
        "scores": scores,
        "property/parameters": rng.integers(1, 900, size).astype(np.float32),
    }
    for label in ROLES:
        index = rng.integers(0, size, (tasks, steps)).astype(np.float32)
        arrays[f"{label}/architecture"] = index
        arrays[f"{label}/signal"] = scores[index.astype(int)]
        arrays[f"{label}/score"] = np.maximum.accumulate(scores[index.astype(int)], 1)
    most = max(len(names) for names in options)
    policy = np.zeros((8, len(options), most))
    for place, names in enumerate(options):
        drawn = rng.random((8, len(names)))
        policy[:, place, : len(names)] = drawn / drawn.sum(1, keepdims=True)
    arrays["reinforce/policy"] = policy
    arrays["reinforce/policy_at"] = np.arange(8) * 5
    info = {
        "positions": ["0→1", "0→2", "1→2"]
        if cell
        else ["depth", "activation", "width"],
        "options": [list(names) for names in options],
        "edges": [[0, 1], [0, 2], [1, 2]] if cell else [],
        "tasks": ["digits", "wine"][:tasks],
        "properties": {"parameters": "count"},
        "cost_unit": "s",
    }
    return SimpleNamespace(arrays=arrays, info=info)
