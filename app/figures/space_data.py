"""An architecture space as figures see it: decisions, options, and searches."""

import html
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np

from app.figures.figure_types import Film, Floats, Indices
from engine.contract.learner_appearance import name_in_words

LONGEST = 14  # characters of an option that a drawing shows


class Space(NamedTuple):
    """Decisions with their options; `edges` where the decisions are a cell's edges."""

    positions: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[int, int], ...] = ()

    @classmethod
    def from_film(cls, film: Film) -> Self:
        """Read the space of an artefact of kind "search"."""
        info = film.info
        return cls(
            tuple(str(name) for name in info["positions"]),
            tuple(tuple(str(o) for o in names) for names in info["options"]),
            tuple((int(a), int(b)) for a, b in info.get("edges", ())),
        )

    @property
    def has_same_options(self) -> bool:
        """Whether every decision has the same options."""
        return len(set(self.options)) == 1

    def to_codes(self, index: Any) -> Indices:
        """Return the codes of architectures from their mixed-radix index.

        >>> Space(("a", "b"), (("x", "y"), ("p", "q", "r"))).to_codes([2, 3]).tolist()
        [[0, 2], [1, 0]]
        """
        radix = np.array([len(names) for names in self.options])
        after = np.append(np.cumprod(radix[::-1])[-2::-1], 1)
        return np.asarray(index, np.int64)[..., None] // after % radix

    def option_names(self, code: Sequence[int]) -> list[str]:
        """Return the options that a code takes."""
        return [names[int(at)] for names, at in zip(self.options, code, strict=True)]


class SearchTrace(NamedTuple):
    """One search: what was trained, its signal, and the best test accuracy so far.

    Arrays have shape (evaluation,), without evaluations beyond the budget.
    """

    index: Indices
    signal: Floats
    best: Indices


def read_search(film: Film, label: str, search: int) -> SearchTrace:
    """Read one of the searches recorded in an artefact.

    Args:
        film: Artefact of kind "search".
        label: The strategy.
        search: Number of the search.
    """
    rows = [
        np.asarray(film.arrays[f"{label}/{name}"], dtype=np.float64)[search]
        for name in ("architecture", "signal", "score")
    ]
    there = np.isfinite(rows[0])
    index, signal, score = (row[there] for row in rows)
    index = index.astype(np.int64)
    return SearchTrace(
        index, signal, index[_best_so_far(film, search, index, signal, score)]
    )


def known_accuracies(film: Film, search: int) -> Floats | None:
    """Return every architecture's accuracy on a search's task; None if unknown."""
    tasks = film.info.get("tasks", [])
    same = len(tasks) > search and tasks[search] == tasks[0]
    scores = film.arrays.get("scores")
    return np.asarray(scores, np.float64) if same and scores is not None else None


def _best_so_far(
    film: Film, search: int, index: Indices, signal: Floats, score: Floats
) -> Indices:
    """Return the index of the best so far after each evaluation.

    A cap or an early stop can make it differ from the highest signal; if all
    accuracies are known, it is identified by its own.
    """
    value = np.where(np.isnan(signal), -np.inf, signal)
    peaks = np.maximum.accumulate(value)
    rises = np.diff(peaks, prepend=-np.inf) > 0
    best = np.maximum.accumulate(np.where(rises, np.arange(len(value)), 0))
    table = known_accuracies(film, search)
    if table is None:
        return best
    own = table[index]
    for step in range(len(best)):
        if np.isfinite(score[step]) and not np.isclose(own[best[step]], score[step]):
            same = np.flatnonzero(np.isclose(own[: step + 1], score[step]))
            best[step] = same[-1] if len(same) else best[step]
    return best


def shorten(name: str, longest: int = LONGEST) -> str:
    """Return an option's name, shortened to fit a drawing.

    >>> shorten("a_name_of_many_letters", 8)
    'a_name_…'
    """
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def wrap_name(name: str, width: int = 8) -> str:
    """Return an option's name broken into lines for a narrow column.

    >>> wrap_name("max_pool_3x3")
    'max_pool<br>3x3'
    """
    lines = [""]
    for word in name_in_words(shorten(name, 3 * width)).split():
        if lines[-1] and len(lines[-1]) + len(word) + 1 > width:
            lines.append("")
        lines[-1] = f"{lines[-1]}_{word}".lstrip("_")
    return "<br>".join(html.escape(line) for line in lines)
