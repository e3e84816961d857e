"""Matching networks: each query's label is an attention average of support labels.

Source: Vinyals et al. (2016), arXiv:1606.04080, section 2.1; appendices A.1 and A.2 for
full context.
Differs: cosines are multiplied by a learned scale (without it, no probability among
five one-shot classes exceeds 65 %); one net embeds support and queries; with full
context the support is read in an order determined by its inputs alone, so that
shuffling it makes no difference.
Helps: few shots of classes that are not round clusters: each example counts by itself.
"""

from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import (
    apply_scale,
    attention_log_probs,
    cosines,
    embed_examples,
    feature_count,
    initial_log_scale,
)
from engine.algorithms.few_shot.full_context_embeddings import (
    init_context,
    query_context,
    support_context,
)
from engine.algorithms.few_shot.one_pass_learner import OnePassLearner
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
class Matching(OnePassLearner):
    """p(y | x, S) = Σ_i softmax_i(s · cos(f(x), g(x_i))) y_i; loss −ln p."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "Matching nets"
    hue: ClassVar[str] = "magenta"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True
    answers: ClassVar[tuple[str, ...]] = ("classes",)

    scale: float = knob(
        10.0,
        label="Initial scale s",
        low=0.1,
        high=1e3,
        log=True,
        help="Sharpness of the attention; learned from this value on.",
    )
    full_context: bool = knob(
        False,
        label="Full context",
        help="Embed each support example in the context of all (bi-LSTM), and each "
        "query in the context of the support (attention LSTM).",
    )
    processing_steps: int = knob(
        5,
        label="Attention steps K",
        unit="steps",
        low=1,
        high=20,
        advanced=True,
        work="steps",
        help="With full context: how often each query attends to the support.",
    )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the embedding, one net per replicate, and the LSTMs of full context."""
        assert isinstance(tasks, EpisodeBatch)
        weights = draw_weights(tasks.net, tasks.body, rngs, tasks.support.x)
        weights["log_scale"] = initial_log_scale(len(rngs), self.scale, tasks.support.x)
        if self.full_context:
            weights |= init_context(feature_count(weights, tasks), rngs, tasks)
        return Meta(weights, {})

    def outputs(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        """Return log probabilities: the attention on each class."""
        support, query = embed_examples(theta, tasks)
        if self.full_context:
            support = support_context(theta, support, tasks.support.x)
            query = query_context(theta, query, support, self.processing_steps)
        scores = apply_scale(theta["log_scale"], cosines(support, query))
        return attention_log_probs(scores, tasks.support.y, tasks.outputs)
