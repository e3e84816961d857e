"""Nearest neighbor: predict by the support examples nearest to the raw input.

Source: Cover and Hart (1967), IEEE Transactions on Information Theory 13(1).
Differs: a tie of votes goes to the nearer neighbors.
Helps: the lower bound: a learned embedding that does not beat it is useless.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

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
    """y(x) = the most frequent y of the k nearest support inputs, or the mean y."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "gray"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = False

    measure: DistanceMeasure = measure_knob("euclidean")
    neighbors: int = neighbors_knob()

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return no weights."""
        return Meta({}, {})

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Predict by the nearest neighbors; nothing is fitted."""
        y = tasks.support.y
        near = closeness(self.measure, tasks.support.x, tasks.query.x)
        if tasks.has_classes:
            yield Prediction(0, neighbor_votes(near, self.neighbors, y, tasks.outputs))
        else:
            values, _ = nearest_neighbors(near, self.neighbors, y)
            yield Prediction(0, values.mean(1, keepdim=True))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the meta-learner unchanged: it has no weights."""
        return Outer(meta.memory, {}, weights=meta.weights)
