"""Coverage of the 95 % intervals of shares and of positive means.

Simulated runs of 8 replicates × 8 tasks. Compared are Student's t, the same cut at the
ends of the range, and what `engine.stats.inference.bounded_intervals` makes of it.

`python -m tests.benchmarks.metric_intervals` prints the table of its docstring.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from rich.console import Console

from engine.stats.array_types import Floats
from engine.stats.inference.bounded_intervals import fit_band
from engine.stats.inference.intervals import Band, mean_band

RUNS, REPLICATES, TASKS = 20_000, 8, 8
SHAPE = (REPLICATES, TASKS, RUNS)
SHARE, POSITIVE = (0.0, 1.0), (0.0, np.inf)


class Shape(NamedTuple):
    """A quantity: its name, range, true mean, and a draw of all runs."""

    name: str
    ends: tuple[float, float]
    mean: float
    draw: Callable[[np.random.Generator], Floats]


def flags(mean: float, alike: float) -> Shape:
    """Return a task that succeeds or not; `alike` is the correlation in a replicate."""

    def draw(rng: np.random.Generator) -> Floats:
        scale = 1 / alike - 1 if alike else np.inf
        share = (
            rng.beta(mean * scale, (1 - mean) * scale, (REPLICATES, 1, RUNS))
            if alike
            else mean
        )
        return (rng.random(SHAPE) < share).astype(float)

    return Shape(f"reached, {mean:g}, correlation {alike:g}", SHARE, mean, draw)


def answers(mean: float, queries: int) -> Shape:
    """Return an accuracy over queries of a task, tasks differing by a beta draw."""

    def draw(rng: np.random.Generator) -> Floats:
        share = rng.beta(20 * mean, 20 * (1 - mean), SHAPE)
        return rng.binomial(queries, share) / queries

    return Shape(f"accuracy, {mean:g}, {queries} queries", SHARE, mean, draw)


def skewed(spread: float, between: float) -> Shape:
    """Return log-normal errors: `spread` over tasks, `between` over replicates."""

    def draw(rng: np.random.Generator) -> Floats:
        own = between * rng.standard_normal((REPLICATES, 1, RUNS))
        return np.exp(own + spread * rng.standard_normal(SHAPE))

    mean = float(np.exp((spread**2 + between**2) / 2))
    name = f"error, log-normal {spread:g} over tasks, {between:g} over replicates"
    return Shape(name, POSITIVE, mean, draw)


SHAPES = (
    flags(0.5, 0.0),
    flags(0.95, 0.0),
    flags(0.99, 0.0),
    flags(0.9, 0.3),
    answers(0.9, 75),
    answers(0.98, 75),
    skewed(0.5, 0.2),
    skewed(1.0, 0.5),
    skewed(1.5, 1.0),
)


def bands(shape: Shape, values: Floats) -> Iterator[Band]:
    """Yield Student's band, the same cut off, and the fitted one."""
    plain = mean_band(values)
    least, most = shape.ends
    yield plain
    yield plain._replace(
        low=np.maximum(plain.low, least), high=np.minimum(plain.high, most)
    )
    yield fit_band(plain, shape.ends, np.full(RUNS, REPLICATES * TASKS))


def main() -> None:
    """Print coverage in percent and the mean width, by quantity and interval."""
    rng, out = np.random.default_rng(0), Console(width=120)
    for shape in SHAPES:
        values = shape.draw(rng)
        told = [
            f"{100 * ((b.low <= shape.mean) & (shape.mean <= b.high)).mean():5.1f}"
            f" {np.median(b.high - b.low):6.3f}"
            for b in bands(shape, values)
        ]
        out.print(f"{shape.name:60} {'  '.join(told)}")


if __name__ == "__main__":
    main()
