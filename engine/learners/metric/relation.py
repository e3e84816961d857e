"""Relation networks: the similarity measure is learned, too.

Source: Sung et al. (2018), arXiv:1711.06025, section 3, equations 1 and 2.
Differs: the relation module is a dense net of two hidden layers of 64 on flat features;
the paper's has two convolutions and a hidden layer of 8, over feature maps, which the
usual nets here have pooled away.
Helps: where no fixed distance fits the features; to be compared with prototypical
networks. It needs about twice as many episodes.
"""

from collections.abc import Iterator, Sequence
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import (
    embed_examples,
    feature_count,
    one_hot,
)
from engine.algorithms.few_shot.few_shot_learner import (
    FewShotLearner,
)
from engine.algorithms.few_shot.outer_gradient import outer_gradient
from engine.algorithms.initial_weights import draw_weights
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.dense import apply_dense, init_dense, stack_members
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
class Relation(FewShotLearner):
    """r_kx = sigmoid(g([Σ f over class k's support, f(x)])); loss Σ (r − 1[same])²."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "Relation nets"
    hue: ClassVar[str] = "brown"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True
    answers: ClassVar[tuple[str, ...]] = ("classes",)

    hidden: int = knob(
        64,
        label="Relation module width",
        unit="units",
        low=1,
        high=512,
        work="size",
        help="Units of each of its two hidden layers.",
    )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the embedding and the relation module, one of each per replicate."""
        assert isinstance(tasks, EpisodeBatch)
        weights = draw_weights(tasks.net, tasks.body, rngs, tasks.support.x)
        sizes = (2 * feature_count(weights, tasks), self.hidden, self.hidden, 1)
        # The output layer is drawn, too: zeros would pass no gradient to the embedding.
        nets = [init_dense(sizes, rng.child("relation"), last=1.0) for rng in rngs]
        module = stack_members(nets)
        like = tasks.support.x
        return Meta(
            weights | {f"relation.{k}": v.to(like) for k, v in module.items()}, {}
        )

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Predict by the relation scores, without adaptation.

        The outputs are log relations, so that their softmax is each relation's share.
        """
        yield Prediction(0, F.logsigmoid(self._relations(theta, tasks)))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the squared error of the queries' relations."""

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            found = torch.sigmoid(self._relations(theta, batch))
            same = one_hot(batch.query.y, batch.outputs, found).mT
            return (found - same).square().sum(1).mean(1)

        return outer_gradient(meta, tasks, task_loss, step_context.compile_gradient)

    def _relations(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        """Return the relation module's outputs; shape (member, way, query)."""
        support, query = embed_examples(theta, tasks)
        # Summed over shots, as in the paper, not averaged.
        sums = support @ one_hot(tasks.support.y, tasks.outputs, support)
        ways, count = sums.shape[2], query.shape[2]
        # Every class with every query, way-major, as the last line unfolds them.
        pairs = torch.cat(
            [sums.repeat_interleave(count, 2), query.repeat(1, 1, ways)], 1
        )
        found = apply_dense(theta, pairs, "relation.", torch.relu)
        return found.view(-1, ways, count)
