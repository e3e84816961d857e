"""A made-up space as a run's film holds it."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from app.figures.space_film_reader import SpaceFilm
from engine.runner.films.space_maps import geometry

RADIX = (3, 2, 4)
POSITIONS = ["depth", "skip", "width"]
OPTIONS = [["1", "2", "3"], ["no", "yes"], ["8", "16", "32", "64"]]
ROLES = {"warm": "chosen", "random": "baseline"}


def film(*, listed: bool = True) -> Any:
    """Return the artefact of a run whose second search is on another task."""
    scores = np.random.default_rng(3).random(24).astype(np.float32)
    scores[5] = np.nan
    arrays: dict[str, Any] = {"property/parameters": np.arange(24.0)}
    info: dict[str, Any] = {
        "space": "toy",
        **{"positions": POSITIONS, "options": OPTIONS, "edges": []},
        **{"tasks": ["digits", "wine", "digits"]},
        "properties": {"parameters": "count"},
    }
    if listed:
        shapes, info["geometry"] = geometry(RADIX, scores)
        arrays |= {"scores": scores, **shapes}
    for i, label in enumerate(ROLES):
        tried = np.random.default_rng(i).integers(24, size=(3, 9)).astype(np.float32)
        tried[0, -2:] = np.nan
        arrays[f"{label}/architecture"] = tried
        seen = np.random.default_rng(9 + i).random((3, 9)).astype(np.float32)
        seen[0, -2:] = np.nan
        arrays[f"{label}/signal"] = seen
    return SimpleNamespace(arrays=arrays, info=info, kind="search")


def atlas() -> SpaceFilm:
    """Return that film, read."""
    return SpaceFilm(film())
