"""Influence balancing at its published size: who finds θ* = −1/6.

Source: Tallec and Ollivier (2017), arXiv:1705.08209; sizes as in Vicol et al. (2021),
arXiv:2112.13835: n = 23 with ten positive signs, θ₀ = 0.5, s₀ = 1, σ = 0.1, 1000
particles, windows of one step, SGD at 1e-4, 3000 updates.

`python -m tests.benchmarks.influence_balancing` prints a table; nothing is asserted.
"""

import time

from rich.console import Console
from rich.table import Table

from engine.estimators.es import Es
from engine.estimators.pes import Pes
from engine.estimators.unroll import Unroll
from engine.outers.sgd import Sgd
from engine.protocol import Estimator, Meta
from tests.estimators.worlds import Influence, lesson_of

UPDATES, RATE, SIGMA, LOST = 3000, 1e-4, 0.1, 1e3
SIDES: dict[str, Estimator] = {
    "PES, 1 step": Pes(sigma=SIGMA, pairs=500, unroll=1, shared=True),
    "truncated ES, 1 step": Es(sigma=SIGMA, pairs=500, unroll=1, shared=True),
    **{
        f"unroll, {k} steps": Unroll(length=k, order="second", equal=False)
        for k in (1, 10, 30, 60, 100, 200)
    },
}


def trained(estimator: Estimator) -> float:
    """Return θ after training, or where it was when it was lost."""
    length = estimator.window_length(10**9)
    problem = Influence(horizon=UPDATES * length)
    weights, memory = problem.start(0.5), {}
    for step in range(UPDATES):
        step_context = lesson_of(problem, step, UPDATES)
        outer = estimator.estimate(Meta(weights, memory), problem, step_context)
        assert outer.grads is not None
        weights, _ = Sgd(lr=RATE, clip=0.0).step(weights, outer.grads, {})
        memory = outer.memory
        if weights["theta"].abs() > LOST:
            break
    return weights["theta"].item()


def main() -> None:
    """Print where each estimator ends."""
    table = Table("estimator", "θ at the end (θ* = −0.16667)", "s")
    for name, estimator in SIDES.items():
        clock = time.perf_counter()
        end = trained(estimator)
        table.add_row(name, f"{end:.5f}", f"{time.perf_counter() - clock:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
