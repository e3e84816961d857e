"""Base class of evolution strategies: knobs, and the window of each segment."""

from engine.contract.parts import knob
from engine.protocol import Estimator, OuterStepContext


def unroll_knob(default: int, help: str) -> int:
    """Declare the number of inner steps per outer step."""
    return knob(  # type: ignore[no-any-return]
        default,
        label="Unroll length",
        unit="steps",
        low=1,
        high=5000,
        work="window",
        help=help,
    )


class ParticleEstimator(Estimator):
    """An estimator that compares runs at meta-weights perturbed in both directions."""

    sigma: float = knob(
        0.1,
        label="Noise σ",
        low=1e-4,
        high=2.0,
        log=True,
        help="Standard deviation of the perturbations of the meta-weights.",
    )
    pairs: int = knob(
        4,
        label="Antithetic pairs",
        unit="pairs",
        low=1,
        high=512,
        work="members",
        help="Pairs per task of the budget; more reduce the variance, at proportional "
        "cost.",
    )
    unroll: int = unroll_knob(25, "Inner steps between two outer steps.")
    shared: bool = knob(
        False,
        label="Pairs share tasks",
        advanced=True,
        help="All pairs run on the same tasks, instead of each on its own.",
    )

    def window_length(self, horizon: int) -> int:
        """Return the unroll length, at most the horizon."""
        return min(self.unroll, horizon)

    @property
    def task_multiplier(self) -> int:
        """Return the number of tasks drawn per task of the budget."""
        return 1 if self.shared else self.pairs

    @property
    def pairs_per_task(self) -> int:
        """Return the number of pairs that run on each drawn task."""
        return self.pairs if self.shared else 1

    def window(self, step_context: OuterStepContext, horizon: int) -> tuple[int, int]:
        """Return the first inner step of the current segment, and its length.

        Args:
            step_context: Holds the index of the segment.
            horizon: Inner steps of a whole run.
        """
        start = step_context.segment * self.window_length(horizon)
        # The last segment is shorter if the unroll length does not divide the horizon.
        return start, min(self.window_length(horizon), horizon - start)
