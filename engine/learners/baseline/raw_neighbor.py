"""Nearest neighbor: the support examples nearest to the raw input are right.

Source: Cover and Hart (1967), IEEE Transactions on Information Theory 13(1).
Differs: a tie of votes goes to the nearer neighbors.
Helps: the floor: whoever learned an embedding and stays below it has learned nothing.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import (
    DistanceMeasure,
    closeness,
    measure_knob,
    nearest_neighbors,
    neighbor_votes,
    neighbors_knob,
)
from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    Prediction,
    TaskBatch,
    Weights,
)


@register("learner")
class RawNeighbor(FewShotLearner):
    """y(x) = what most of the k nearest support inputs are, or the mean of their y."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "gray"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = False

    measure: DistanceMeasure = measure_knob("euclidean")
    neighbors: int = neighbors_knob()

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return nothing: it has no weights."""
        return Meta({}, {})

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Answer by what is nearest; nothing is fitted."""
        yield Prediction(0, self._answer(tasks))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Stay: there is nothing to move."""
        return Outer(meta.memory, {}, weights=meta.weights)

    def _answer(self, tasks: EpisodeBatch) -> Tensor:
        y = tasks.support.y
        near = closeness(self.measure, tasks.support.x, tasks.query.x)
        if tasks.has_classes:
            return neighbor_votes(near, self.neighbors, y, tasks.outputs)
        return nearest_neighbors(near, self.neighbors, y)[0].mean(1, keepdim=True)
