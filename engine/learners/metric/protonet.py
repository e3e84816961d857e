"""Prototypical networks: predict the nearest class mean in a learned embedding.

Source: Snell, Swersky and Zemel (2017), arXiv:1703.05175, algorithm 1.
Differs: training with more ways than at test, 60 on Omniglot in the paper, is a knob of
the family; cosine similarity with a learned scale is offered besides the squared
Euclidean distance.
Helps: many classes, few shots, no time to adapt: an episode costs one forward pass.
Training with more ways than at test gains one to three percentage points.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import (
    apply_scale,
    class_means,
    class_spread,
    cosines,
    embed_examples,
    initial_log_scale,
    squared_distances,
)
from engine.algorithms.few_shot.one_pass_learner import OnePassLearner
from engine.algorithms.initial_weights import draw_weights
from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    EpisodeBatch,
    Inspection,
    Meta,
    TaskBatch,
    Weights,
)


@register("learner")
class Protonet(OnePassLearner):
    """p(k | x) = softmax_k(−‖f(x) − c_k‖²), c_k = mean of f over class k's support."""

    version: ClassVar[int] = 2
    short: ClassVar[str] = "ProtoNet"
    hue: ClassVar[str] = "purple"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    net_role: ClassVar[str] = "embedding"
    compiles: ClassVar[bool] = True
    answers: ClassVar[tuple[str, ...]] = ("classes",)

    distance: Literal["euclidean", "cosine"] = knob(
        "euclidean",
        label="Distance",
        help="Squared Euclidean, or cosine similarity times a learned scale.",
    )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the embedding, one net per replicate; the cosine's scale starts at 10.

        Raises:
            Refused: If there is nothing to learn; choose a net with a hidden layer.
        """
        assert isinstance(tasks, EpisodeBatch)
        weights = draw_weights(tasks.net, tasks.body, rngs, tasks.support.x)
        if self.distance == "cosine":
            weights["log_scale"] = initial_log_scale(len(rngs), 10.0, tasks.support.x)
        if not weights:
            raise Refused(
                "prototypes have nothing to learn with a net without a hidden layer; "
                "give it one, or choose the cosine distance",
                "net",
            )
        return Meta(weights, {})

    def outputs(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        """Return minus distances to the prototypes, or scaled cosines."""
        support, query = embed_examples(theta, tasks)
        centers = class_means(support, tasks.support.y, tasks.outputs)
        if self.distance == "euclidean":
            return -squared_distances(centers, query)
        return apply_scale(theta["log_scale"], cosines(centers, query))

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Compare the distances within classes with those between them."""
        assert isinstance(tasks, EpisodeBatch)
        return {"class_spread": Inspection((), class_spread(meta.weights, tasks))}
