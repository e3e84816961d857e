"""Grid search for learning rates, on a log scale, coarse then fine.

Every replicate searches on a path of its own, so its rate does not depend on how many
replicates there are; all are scored together, one rate per replicate at a time.

The coarse grid has two points per decade and is extended while the best rate is at its
edge; the fine grid has eight per decade around the best. With only three per decade,
a baseline's best rate near the stability limit is missed, and the method that it is
compared with seems to win. Coarse rates differ so much that
fewer tasks tell them apart.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np

from engine.contract.events import Block, Event, Note

COARSE = tuple(i / 2 for i in range(-8, 4))  # log10 of rates
FINE = tuple(i / 8 for i in range(-3, 4) if i)  # decades from the best
RATES = len(COARSE) + len(FINE)  # tried, unless the coarse grid is extended
S = TypeVar("S")
# Scores a rate of some replicates: trials by replicate and the progress → scores by
# replicate.
Score = Callable[
    [Mapping[int, "Trial"], float], Generator[Event, None, Mapping[int, S]]
]


class Trial(NamedTuple):
    """A rate to score.

    Args:
        power: Its log10.
        share: Share of the tuning tasks to score it on.
    """

    power: float
    share: float


class RateGrid(NamedTuple):
    """The range of rates that a search covers, as log10.

    Args:
        highest: Largest rate of the coarse grid.
        limits: Smallest and largest rate that the grid is extended to.
        coarse_share: Share of the tasks on which coarse rates are scored.
    """

    highest: float
    limits: tuple[float, float]
    coarse_share: float = 1.0


class TriedRates(NamedTuple, Generic[S]):
    """What one replicate's search found; rates are log10.

    Args:
        scores: By rate; coarse ones may be over a share of the tasks.
        best: The best rate.
    """

    scores: dict[float, S]
    best: float


def search_path(grid: RateGrid) -> Generator[Trial, Any, float]:
    """Search for one replicate's rate.

    Args:
        grid: The range of rates.

    Yields:
        Rates to score; each one's rank is sent back, less is better.

    Returns:
        The log10 of the best rate, of equals the first one tried.
    """
    ranks: dict[float, Any] = {}

    def best() -> float:
        return min(ranks, key=lambda power: ranks[power])

    for power in COARSE:
        if power <= grid.highest:
            ranks[power] = yield Trial(power, grid.coarse_share)
    while best() in (min(ranks), max(ranks)):
        further = best() + (0.5 if best() == max(ranks) else -0.5)
        if not grid.limits[0] <= further <= grid.limits[1]:
            break
        ranks[further] = yield Trial(further, grid.coarse_share)
    center = best()
    ranks = {center: ranks[center]}
    if grid.coarse_share < 1.0:  # its fine neighbors are scored on more tasks
        ranks[center] = yield Trial(center, 1.0)
    for offset in FINE:
        ranks[center + offset] = yield Trial(center + offset, 1.0)
    return best()


def search_rates(
    stage: str,
    score: Score[S],
    rank: Callable[[S], Any],
    replicates: int,
    grid: RateGrid,
) -> Generator[Event, None, list[TriedRates[S]]]:
    """Search for the best learning rate of every replicate.

    Args:
        stage: Title of the notes.
        score: Scores one rate of each of some replicates.
        rank: Sort key of scores; less is better.
        replicates: How many.
        grid: The range of rates.

    Yields:
        Notes on progress, and what `score` yields.

    Returns:
        For each replicate what it tried.
    """
    paths = [search_path(grid) for _ in range(replicates)]
    scores: list[dict[float, S]] = [{} for _ in paths]
    best: dict[int, float] = {}
    asked = {replicate: next(path) for replicate, path in enumerate(paths)}
    rounds = 0
    while asked:
        share = min(0.99, rounds / RATES)  # rates beyond the edge are not in RATES
        found = yield from score(asked, share)
        following = {}
        for replicate, trial in asked.items():
            scores[replicate][trial.power] = found[replicate]
            try:
                following[replicate] = paths[replicate].send(rank(found[replicate]))
            except StopIteration as stop:
                best[replicate] = stop.value
        yield Note(stage, share, _rates_in_words([one.power for one in asked.values()]))
        asked, rounds = following, rounds + 1
    return [TriedRates(scores[r], best[r]) for r in range(replicates)]


def _rates_in_words(powers: Sequence[float]) -> str:
    """Return the rates that are being tried: one, or their range."""
    ends = [f"{10**power:.3g}" for power in sorted({min(powers), max(powers)})]
    return " to ".join(ends)


def tuning_blocks(
    label: str, metric: str, tried: Sequence[TriedRates[float]]
) -> Iterator[Block]:
    """Yield blocks with each rate's score, and the chosen rate, of every replicate.

    Args:
        label: The learner's label.
        metric: The scores' metric.
        tried: For each replicate; a score is a mean over its tuning tasks. It is NaN
            at rates that only others tried.
    """
    powers = sorted({power for one in tried for power in one.scores})
    curves = [[one.scores.get(power, np.nan) for power in powers] for one in tried]
    rates = tuple(float(10.0**power) for power in powers)
    axes = ("replicate", "rate")
    yield Block(label, "tune", metric, axes, np.array(curves), coords={"rate": rates})
    best = np.array([10.0**one.best for one in tried])
    yield Block(label, "tune", "tuned_lr", ("replicate",), best)
