"""Neighbors of features: the nearest class mean or examples in pretrained features.

Source: Wang et al. (2019), arXiv:1911.04623 ("SimpleShot"), for class means.
Differs: features are neither centered nor normalized, except for cosine similarity.
Helps: to see how far good features alone go: nothing is fitted to a support.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from engine.algorithms.few_shot.embedding_distances import (
    DistanceMeasure,
    class_means,
    closeness,
    embed_examples,
    measure_knob,
    neighbor_votes,
    neighbors_knob,
)
from engine.algorithms.few_shot.few_shot_learner import (
    FewShotLearner,
)
from engine.algorithms.few_shot.fine_tuning import (
    pooled_layout,
    pooled_net_loss,
    pretraining_step,
)
from engine.algorithms.initial_weights import draw_weights
from engine.contract.parts import knob
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
class FeatureNeighbors(FewShotLearner):
    """k(x) = the class whose mean, or whose examples, are nearest to f_θ(x)."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "kNN of features"
    hue: ClassVar[str] = "green"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True
    answers: ClassVar[tuple[str, ...]] = ("classes",)

    rule: Literal["class_mean", "neighbors"] = knob(
        "class_mean",
        label="Decision rule",
        help="The nearest class mean, or a vote of the nearest support examples.",
    )
    measure: DistanceMeasure = measure_knob("cosine")
    neighbors: int = neighbors_knob()

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the net with one output per training class, for each replicate."""
        assert isinstance(tasks, EpisodeBatch)
        return Meta(
            draw_weights(tasks.net, pooled_layout(tasks), rngs, tasks.support.x), {}
        )

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Predict by the nearest class mean or neighbors; nothing is fitted."""
        support, query = embed_examples(theta, tasks)
        y, ways = tasks.support.y, tasks.outputs
        if self.rule == "class_mean":
            means = class_means(support, y, ways)
            yield Prediction(0, closeness(self.measure, means, query))
        else:
            near = closeness(self.measure, support, query)
            yield Prediction(0, neighbor_votes(near, self.neighbors, y, ways))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the loss over all classes, on support and queries."""
        return pretraining_step(
            meta, tasks, pooled_net_loss, step_context.compile_gradient
        )
