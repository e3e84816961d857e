"""Grid search for a learning rate, on a log scale, coarse then fine.

The coarse grid has two points per decade and is extended while the best rate is at its
edge; the fine grid has eight per decade around the best. With only three per decade,
a baseline's best rate near the stability limit is missed, and the method that it is
compared with seems to win.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from engine.contract.events import Block, Event, Note

COARSE = tuple(i / 2 for i in range(-8, 4))  # log10 of rates
FINE = tuple(i / 8 for i in range(-3, 4) if i)  # decades from the best
RATES = len(COARSE) + len(FINE)  # tried, unless the coarse grid is extended
S = TypeVar("S")
Score = Callable[[float, float], Generator[Event, None, S]]


def search_rate(
    stage: str,
    score: Score[S],
    rank: Callable[[S], Any],
    highest: float,
    limits: tuple[float, float],
) -> Generator[Event, None, tuple[dict[float, S], float]]:
    """Search for the best learning rate.

    Args:
        stage: Title of the notes.
        score: Evaluates a rate, given its log10 and the progress, 0 to 1.
        rank: Sort key of scores; less is better, and of equals the first one tried.
        highest: The largest log10 rate of the coarse grid.
        limits: Smallest and largest log10 rate that the grid is extended to.

    Yields:
        Notes on progress, and what `score` yields.

    Returns:
        The scores by log10 rate, and the log10 of the best rate.
    """
    scores: dict[float, S] = {}

    def best() -> float:
        return min(scores, key=lambda power: rank(scores[power]))

    def candidates() -> Iterator[float]:
        yield from (power for power in COARSE if power <= highest)
        while best() in (min(scores), max(scores)):
            further = best() + (0.5 if best() == max(scores) else -0.5)
            if not limits[0] <= further <= limits[1]:
                break
            yield further
        center = best()
        yield from (center + offset for offset in FINE)

    for power in candidates():
        share = min(0.99, len(scores) / RATES)  # rates beyond the edge are not in RATES
        scores[power] = yield from score(power, share)
        yield Note(stage, share, f"{10**power:.3g}")
    return scores, best()


def tuning_blocks(
    label: str, metric: str, scores: Mapping[float, np.ndarray], best: float
) -> Iterator[Block]:
    """Yield blocks with each rate's scores, and the chosen rate.

    Args:
        label: The learner's label.
        metric: The scores' metric.
        scores: By log10 rate; each of shape (task,).
        best: Log10 of the chosen rate.
    """
    powers = sorted(scores)
    curve = np.stack([scores[power] for power in powers])
    rates = tuple(float(10.0**power) for power in powers)
    yield Block(label, "tune", metric, ("rate", "task"), curve, coords={"rate": rates})
    yield Block(label, "tune", "tuned_lr", (), np.array(10.0**best))
