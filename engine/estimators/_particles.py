"""What estimators from antithetic particles share: knobs, and where a segment lies."""

from engine.contract.parts import knob
from engine.protocol import Estimator, OuterStepContext


def unroll_knob(default: int, help: str) -> int:
    """Declare how many inner steps one outer step sees."""
    return knob(  # type: ignore[no-any-return]
        default, label="Unroll length", unit="steps", low=1, high=5000, help=help
    )


class ParticleEstimator(Estimator):
    """An estimator that compares runs from meta-weights moved both ways."""

    sigma: float = knob(
        0.1,
        label="Noise σ",
        low=1e-4,
        high=2.0,
        log=True,
        help="Size of the perturbations of the meta-weights.",
    )
    pairs: int = knob(
        4,
        label="Antithetic pairs",
        unit="pairs",
        low=1,
        high=512,
        help="For each task of the budget; more are smoother at proportional cost.",
    )
    unroll: int = unroll_knob(25, "Inner steps between two outer steps.")
    shared: bool = knob(
        False,
        label="Pairs share tasks",
        advanced=True,
        help="All pairs run on the same tasks, instead of each on tasks of its own.",
    )

    def window_length(self, horizon: int) -> int:
        """Return the unroll length, at most the horizon."""
        return min(self.unroll, horizon)

    @property
    def task_multiplier(self) -> int:
        """Return how many tasks are drawn for each that the budget names."""
        return 1 if self.shared else self.pairs

    @property
    def pairs_per_task(self) -> int:
        """Return how many pairs run on each task that is drawn."""
        return self.pairs if self.shared else 1

    def window(self, step_context: OuterStepContext, horizon: int) -> tuple[int, int]:
        """Return the first inner step of a lesson's segment, and how many it has."""
        start = step_context.segment * self.window_length(horizon)
        return start, min(self.window_length(horizon), horizon - start)
