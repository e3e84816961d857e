"""A listed space as a run's film holds it: words, scores, places, and searches."""

import math
from functools import cached_property
from typing import Any

import numpy as np

from app.figures.figure_types import Film, Floats, Indices
from engine.stats.search.distances import Coverage, measure_coverage, neighbors


class SpaceFilm:
    """Reads the artefact of kind "search"; everything is looked up when asked for."""

    def __init__(self, film: Film) -> None:
        self.film = film
        self.positions: list[str] = list(film.info["positions"])
        self.options: list[list[str]] = [list(names) for names in film.info["options"]]
        self.edges = [tuple(edge) for edge in film.info.get("edges", ())]
        self.radix = tuple(len(names) for names in self.options)
        self.geometry: dict[str, Any] = dict(film.info.get("geometry", {}))

    @property
    def size(self) -> int:
        """How many architectures there are."""
        return math.prod(self.radix)

    @property
    def name(self) -> str:
        """What the space is called."""
        return str(self.film.info.get("space", "the space"))

    @property
    def task(self) -> str:
        """On what the scores were measured."""
        return str((self.film.info.get("tasks") or [""])[0])

    @cached_property
    def scores(self) -> Floats | None:
        """Return the accuracy of each architecture, share; none where unknown."""
        held = self.film.arrays.get("scores")
        return None if held is None else np.asarray(held, np.float64)

    @cached_property
    def ranks(self) -> Indices:
        """Return each architecture's place by accuracy, the best being 1."""
        scores = self.scores if self.scores is not None else np.zeros(self.size)
        order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
        ranks = np.empty(self.size, np.int64)
        ranks[order] = np.arange(1, self.size + 1)
        return ranks

    def coordinates(self, name: str) -> Floats | None:
        """Return a map, "sphere/xyz" or "map/xy"; none where the space is too large."""
        held = self.film.arrays.get(name)
        return None if held is None else np.asarray(held, np.float32)

    def optima(self) -> Indices:
        """Return the local optima, the best first."""
        held = self.film.arrays.get("landscape/optima", np.zeros(0))
        return np.asarray(held, np.int64)

    def basins(self) -> Indices:
        """Return to which optimum each architecture climbs; −1 where it is absent."""
        held = self.film.arrays.get("landscape/basin", np.zeros(0))
        return np.asarray(held, np.int64)

    def code(self, index: int) -> list[int]:
        """Return the option taken at each position."""
        return [int(c) for c in np.unravel_index(index, self.radix)]

    def index(self, code: list[int]) -> int:
        """Return the number of an architecture."""
        return int(np.ravel_multi_index(tuple(code), self.radix))

    def options_by_decision(self, index: int) -> dict[str, str]:
        """Return the option of each decision, by name."""
        named = zip(self.positions, self.options, self.code(index), strict=True)
        return {position: names[option] for position, names, option in named}

    def describe(self, index: int) -> str:
        """Return an architecture in one line."""
        return ", ".join(f"{p} {o}" for p, o in self.options_by_decision(index).items())

    def properties(self, index: int) -> dict[str, tuple[float, str]]:
        """Return what else is known of an architecture, with units."""
        units = self.film.info.get("properties", {})
        found = {}
        for name, unit in units.items():
            held = self.film.arrays.get(f"property/{name}")
            if held is not None and np.isfinite(held[index]):
                found[name] = (float(held[index]), str(unit))
        return found

    def strategy_labels(self) -> list[str]:
        """Return the strategies whose searches are kept."""
        return [
            name.removesuffix("/architecture")
            for name in self.film.arrays
            if name.endswith("/architecture")
        ]

    def search_indices(self, label: str) -> list[int]:
        """Return which kept searches ran on the task whose scores are drawn."""
        held = self.film.arrays.get(f"{label}/architecture", np.zeros((0, 0)))
        tasks = list(self.film.info.get("tasks", ()))
        return [i for i in range(len(held)) if i < len(tasks) and tasks[i] == tasks[0]]

    def trained_indices(self, label: str, search: int) -> Indices:
        """Return what a search trained, in order; what was not trained left out."""
        held = np.asarray(self.film.arrays[f"{label}/architecture"][search], np.float64)
        return held[np.isfinite(held)].astype(np.int64)

    def best_so_far(self, label: str, search: int) -> list[tuple[int, int]]:
        """Return when a search's best so far changed, and to which architecture.

        Its best is by the signal that it saw, as it judges itself.
        """
        tried, signal = (
            np.asarray(self.film.arrays[f"{label}/{name}"][search], np.float64)
            for name in ("architecture", "signal")
        )
        best, kept = -np.inf, []
        for step, (at, seen) in enumerate(zip(tried, signal, strict=True)):
            if np.isfinite(at) and np.isfinite(seen) and seen > best:
                best = seen
                kept.append((step + 1, int(at)))
        return kept

    def search_coverage(self, label: str, search: int) -> Coverage:
        """Return how much of the space a search has seen."""
        return measure_coverage(self.trained_indices(label, search), self.radix)

    def nearest_neighbors(self, index: int) -> Indices:
        """Return the nearest architectures: one decision differs; the best first."""
        near = neighbors(index, self.radix)
        return near[np.argsort(self.ranks[near], kind="stable")]

    def describe_change(self, index: int, other: int) -> str:
        """Return what to change to get from one architecture to its neighbor."""
        mine, theirs = self.options_by_decision(index), self.options_by_decision(other)
        changed = [
            f"{p}: {mine[p]} → {theirs[p]}" for p in mine if mine[p] != theirs[p]
        ]
        return ", ".join(changed)

    def describe_trust(self, name: str) -> str:
        """Say how far a map can be trusted."""
        held = self.geometry.get(name, {})
        trust, stress = held.get("trust"), held.get("stress")
        if trust is None or stress is None:
            return "Too few architectures to say how far the map can be trusted."
        return (
            f"Trustworthiness {trust:.2f} (1 is best), stress {stress:.2f} (0 is "
            f"best), on {self.geometry['sample']} architectures, their "
            f"{self.geometry['neighbors']} nearest."
        )
