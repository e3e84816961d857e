"""The search for a learning rate, in two stages, on a log scale.

Half decades first, further where the best is at an edge, then eighths of a decade
around it. Three points per decade straddle the stability cliff and fake a win for
whatever is compared, so the grid is fine where it matters.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from engine.contract.events import Block, Event, Note

COARSE = tuple(i / 2 for i in range(-8, 4))  # log10 of rates
FINE = tuple(i / 8 for i in range(-3, 4) if i)  # decades from the best
RATES = len(COARSE) + len(FINE)
S = TypeVar("S")
Score = Callable[[float, float], Generator[Event, None, S]]


def search_rate(
    stage: str,
    score: Score[S],
    rank: Callable[[S], Any],
    highest: float,
    limits: tuple[float, float],
) -> Generator[Event, None, tuple[dict[float, S], float]]:
    """Try rates; yield how far it is.

    Args:
        stage: What notes are headed with.
        score: Tries a rate, given its log10 and the share of the search that is done.
        rank: What scores are compared by; less is better, and the first one of equals.
        highest: The largest log10 rate of the first stage.
        limits: Log10 rates that are not passed where the best is at an edge.

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
    """Yield each rate's scores, and the rate that was chosen.

    Args:
        label: The learner's.
        metric: What the scores are.
        scores: By log10 rate; each of shape (task,).
        best: Log10 of the chosen rate.
    """
    powers = sorted(scores)
    curve = np.stack([scores[power] for power in powers])
    rates = tuple(float(10.0**power) for power in powers)
    yield Block(label, "tune", metric, ("rate", "task"), curve, coords={"rate": rates})
    yield Block(label, "tune", "tuned_lr", (), np.array(10.0**best))
