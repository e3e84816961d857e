"""Short-horizon bias on the noisy quadratic: greedy, fixed, best, and what we learn.

Source: Wu et al. (2018), arXiv:1803.02021; curvatures 1 to 0.01, noise 1, E θ² = 10.

`python -m tests.benchmarks.short_horizon` prints a table; nothing is asserted.
"""

import torch
from rich.console import Console
from rich.table import Table

from tests.estimators.test_short_horizon import ILL, ROUND, fixed, greedy, learned
from tests.estimators.worlds import NoisyBowl


def main() -> None:
    """Print the loss at the end for each horizon and each window."""
    torch.set_num_threads(1)
    heads = ("curvatures", "horizon", "greedy", "best fixed", "window 1", "window 5")
    table = Table(*heads, "whole run", "greedy / whole")
    for name, curvature in {"1 to 0.01": ILL, "all 1": ROUND}.items():
        for horizon in (20, 100):
            world = NoisyBowl(curvature, horizon)
            short = greedy(world)[0]
            found = [learned(world, k, n)[0] for k, n in _windows(horizon)]
            numbers = [short, fixed(world), *found, short / found[-1]]
            table.add_row(name, str(horizon), *[f"{x:.3f}" for x in numbers])
    Console().print(table)


def _windows(horizon: int) -> list[tuple[int, int]]:
    """Return windows and how many updates each is given."""
    return [(1, 200), (5, 300), (horizon, 1500)]


if __name__ == "__main__":
    main()
