"""R2-D2: ridge regression in closed form on learned features.

Source: Bertinetto, Henriques, Torr and Vedaldi (2019), arXiv:1805.08136, section 3.2.
Differs: columns of X are examples, rows in the paper; λ and a are learned as
logarithms, so that they stay positive. λ starts at 1 and is learned; the authors' code
keeps it at 50. a = 10 is their code's for Omniglot; miniImageNet has 0.0001. Regression
tasks are supported, too; random ways and shots are left to the family.
MetaOptNet's ridge head (Lee et al. 2019, arXiv:1904.03758) is this one with λ fixed at
50, a learned scale and no offset, up to a factor in that scale.
Helps: where a linear head on good features is enough: a least-squares fit in closed
form replaces inner steps, at the cost of one linear system of the support's size.
"""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import (
    apply_scale,
    embed_examples,
    initial_log_scale,
)
from engine.algorithms.few_shot.one_pass_learner import OnePassLearner
from engine.algorithms.few_shot.ridge_head import ridge_head
from engine.algorithms.few_shot.sequences import encode_targets
from engine.algorithms.initial_weights import draw_weights
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    EpisodeBatch,
    Meta,
    TaskBatch,
    Weights,
)


@register("learner")
class R2d2(OnePassLearner):
    """W = X (Xᵀ X + λ I)⁻¹ Y, ŷ = a Wᵀ x + b; λ > 0, a > 0 and b are learned."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "green"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    net_role: ClassVar[str] = "embedding"
    compiles: ClassVar[bool] = True

    ridge: float = knob(
        1.0,
        label="Initial ridge λ",
        low=1e-6,
        high=1e6,
        log=True,
        help="L2 penalty on the head's weights; learned from this value on.",
    )
    scale: float = knob(
        10.0,
        label="Initial scale a",
        low=1e-4,
        high=1e4,
        log=True,
        help="Turns the head's outputs, which lie near 0 and 1, into logits; learned "
        "from this value on. In regression it starts at 1.",
    )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the feature net, one per replicate; λ, a and b start the same in all."""
        assert isinstance(tasks, EpisodeBatch)
        like, count = tasks.support.x, len(rngs)
        weights = draw_weights(tasks.net, tasks.body, rngs, like)
        weights["log_ridge"] = initial_log_scale(count, self.ridge, like)
        first = self.scale if tasks.has_classes else 1.0
        weights["log_scale"] = initial_log_scale(count, first, like)
        return Meta(weights | {"offset": like.new_zeros(count)}, {})

    def outputs(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        """Return the outputs of the head that ridge regression fits to the support."""
        support, query = embed_examples(theta, tasks)
        targets = encode_targets(tasks).mT
        head = ridge_head(support, targets, theta["log_ridge"].exp())
        offset = theta["offset"].view(-1, 1, 1)
        return apply_scale(theta["log_scale"], head.mT @ query) + offset
