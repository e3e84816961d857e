"""An evaluator that trains nothing, to measure a search's own memory."""

from engine.protocol import Evaluator, Measurement
from engine.protocol.search import Codes, Numbers

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
        self, which: Numbers, codes: Codes, fidelity: Numbers, uniform: Numbers
    ) -> Measurement:
        """Return the uniform numbers, at zero cost so that no search ends early."""
        return Measurement(uniform, uniform, 0.0 * uniform)

    def property(self, name: str, which: Numbers, codes: Codes) -> Numbers:
        """Return the property as the other evaluator gives it."""
        return self._known.property(name, which, codes)
