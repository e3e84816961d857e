"""Reads a fully listed space from a run's film: names, scores, maps, searches."""

import math
from functools import cached_property
from typing import Any

import numpy as np

from app.figures.figure_types import Film, Floats, Indices
from engine.stats.search.distances import Coverage, measure_coverage, neighbors


class SpaceFilm:
    """Read access to the artefact of kind "search"; all values are computed lazily."""

    def __init__(self, film: Film) -> None:
        self.film = film
        self.positions: list[str] = list(film.info["positions"])
        self.options: list[list[str]] = [list(names) for names in film.info["options"]]
        self.edges = [tuple(edge) for edge in film.info.get("edges", ())]
        self.radix = tuple(len(names) for names in self.options)
        self.geometry: dict[str, Any] = dict(film.info.get("geometry", {}))

    @property
    def size(self) -> int:
        """The number of architectures."""
        return math.prod(self.radix)

    @property
    def name(self) -> str:
        """The space's name."""
        return str(self.film.info.get("space", "the space"))

    @property
    def task(self) -> str:
        """The task that the scores were measured on."""
        return str((self.film.info.get("tasks") or [""])[0])

    @cached_property
    def scores(self) -> Floats | None:
        """Return each architecture's accuracy, share; None if unknown."""
        held = self.film.arrays.get("scores")
        return None if held is None else np.asarray(held, np.float64)

    @cached_property
    def ranks(self) -> Indices:
        """Return each architecture's rank by accuracy, the best being 1."""
        scores = self.scores if self.scores is not None else np.zeros(self.size)
        # Failed trainings rank last; a stable sort makes ties reproducible.
        order = np.argsort(-np.nan_to_num(scores, nan=-np.inf), kind="stable")
        ranks = np.empty(self.size, np.int64)
        ranks[order] = np.arange(1, self.size + 1)
        return ranks

    def coordinates(self, name: str) -> Floats | None:
        """Return "sphere/xyz" or "map/xy"; None if the space is too large for maps."""
        held = self.film.arrays.get(name)
        return None if held is None else np.asarray(held, np.float32)

    def optima(self) -> Indices:
        """Return the local optima, the best first."""
        held = self.film.arrays.get("landscape/optima", np.zeros(0))
        return np.asarray(held, np.int64)

    def basins(self) -> Indices:
        """Return the optimum that each architecture climbs to; −1 without a score."""
        held = self.film.arrays.get("landscape/basin", np.zeros(0))
        return np.asarray(held, np.int64)

    def code(self, index: int) -> list[int]:
        """Return the option taken at each position."""
        return [int(c) for c in np.unravel_index(index, self.radix)]

    def index(self, code: list[int]) -> int:
        """Return the index of an architecture."""
        return int(np.ravel_multi_index(tuple(code), self.radix))

    def options_by_decision(self, index: int) -> dict[str, str]:
        """Return the option of each decision, by name."""
        named = zip(self.positions, self.options, self.code(index), strict=True)
        return {position: names[option] for position, names, option in named}

    def describe(self, index: int) -> str:
        """Return an architecture in one line."""
        return ", ".join(f"{p} {o}" for p, o in self.options_by_decision(index).items())

    def properties(self, index: int) -> dict[str, tuple[float, str]]:
        """Return the other known properties of an architecture, with units."""
        units = self.film.info.get("properties", {})
        found = {}
        for name, unit in units.items():
            held = self.film.arrays.get(f"property/{name}")
            if held is not None and np.isfinite(held[index]):
                found[name] = (float(held[index]), str(unit))
        return found

    def strategy_labels(self) -> list[str]:
        """Return the labels of the strategies with recorded searches."""
        return [
            name.removesuffix("/architecture")
            for name in self.film.arrays
            if name.endswith("/architecture")
        ]

    def search_indices(self, label: str) -> list[int]:
        """Return the recorded searches that ran on the task of the scores."""
        held = self.film.arrays.get(f"{label}/architecture", np.zeros((0, 0)))
        tasks = list(self.film.info.get("tasks", ()))
        return [i for i in range(len(held)) if i < len(tasks) and tasks[i] == tasks[0]]

    def trained_indices(self, label: str, search: int) -> Indices:
        """Return the architectures that a search trained, in order."""
        held = np.asarray(self.film.arrays[f"{label}/architecture"][search], np.float64)
        return held[np.isfinite(held)].astype(np.int64)

    def best_so_far(self, label: str, search: int) -> list[tuple[int, int]]:
        """Return when a search's incumbent changed, and to which architecture.

        The incumbent is the best by the signal that the search saw.
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
        """Return how much of the space a search has covered."""
        return measure_coverage(self.trained_indices(label, search), self.radix)

    def nearest_neighbors(self, index: int) -> Indices:
        """Return the architectures that differ in one decision, the best first."""
        near = neighbors(index, self.radix)
        return near[np.argsort(self.ranks[near], kind="stable")]

    def describe_change(self, index: int, other: int) -> str:
        """Describe the change from one architecture to its neighbor."""
        mine, theirs = self.options_by_decision(index), self.options_by_decision(other)
        changed = [
            f"{p}: {mine[p]} → {theirs[p]}" for p in mine if mine[p] != theirs[p]
        ]
        return ", ".join(changed)

    def describe_trust(self, name: str) -> str:
        """Describe how far a map can be trusted."""
        held = self.geometry.get(name, {})
        trust, stress = held.get("trust"), held.get("stress")
        if trust is None or stress is None:
            return "Too few architectures to measure the map's trustworthiness."
        return (
            f"Trustworthiness {trust:.2f} (1 is best), stress {stress:.2f} (0 is "
            f"best), on {self.geometry['sample']} architectures, their "
            f"{self.geometry['neighbors']} nearest."
        )
