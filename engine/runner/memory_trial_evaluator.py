"""An evaluator that trains nothing, to measure a search's own memory."""

import numpy as np
from jaxtyping import Float, Int

from engine.protocol import Evaluator, Measurement

TRAINED = 150e6  # bytes that the nets of one batch of trainings hold at most


class NullEvaluator(Evaluator):
    """Stands in for another evaluator; returns random numbers as accuracies.

    Args:
        known: The other evaluator.
    """

    def __init__(self, known: Evaluator) -> None:
        self.space, self.tasks = known.space, known.tasks
        self.fidelities, self.fidelity_unit = known.fidelities, known.fidelity_unit
        self.cost_unit, self.properties = known.cost_unit, known.properties
        self.features = known.features
        self._known = known

    def measure(
        self,
        which: Int[np.ndarray, " item"],
        codes: Int[np.ndarray, "item position"],
        fidelity: Int[np.ndarray, " item"],
        uniform: Float[np.ndarray, " item"],
    ) -> Measurement:
        """Return the uniform numbers, at zero cost so that no search ends early."""
        return Measurement(uniform, uniform, 0.0 * uniform)

    def property(
        self,
        name: str,
        which: Int[np.ndarray, " item"],
        codes: Int[np.ndarray, "item position"],
    ) -> Float[np.ndarray, " item"]:
        """Return the property as the other evaluator gives it."""
        return self._known.property(name, which, codes)
