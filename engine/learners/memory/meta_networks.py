"""Meta Networks: gradients of the support become fast weights, which queries look up.

Source: Munkhdalai and Yu (2017), arXiv:1703.00837, algorithm 1.
Differs: the fast weights Q* are a net's answer to the mean gradient over the support,
where the paper's are an LSTM's to some gradients one after the other; both losses are
cross-entropy, that of the representation by an output layer that stays as it was drawn
(contrastive in the paper for one-shot tasks); cosines are multiplied by a learned scale
s before the softmax; only the last two layers have fast weights, and the run's net
embeds inputs before them; sizes are smaller.
Helps: where one pass over the support must do: no inner loop, and what was learned of
each example is weighted anew for each query.
"""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import (
    apply_scale,
    cosines,
    embed_examples,
    feature_count,
    initial_log_scale,
    one_hot,
)
from engine.algorithms.few_shot.inspected_episodes import attention_map
from engine.algorithms.few_shot.one_pass_learner import OnePassLearner
from engine.algorithms.initial_weights import draw_weights
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.dense import apply_dense, init_dense, stack_members
from engine.nets.lstm import preprocess
from engine.protocol import (
    EpisodeBatch,
    Inspection,
    Meta,
    TaskBatch,
    Weights,
)

RANGE = 7.0  # p: gradients below e^−p count as small
UNITS = 20  # of the nets that turn gradients into fast weights


class SupportMemory(NamedTuple):
    """What is remembered of a support.

    Args:
        keys: r_i, the representation of each example; shape (member, unit, example).
        fast: W*_i; shape (member, example, output, feature).
        fast_embedding: Q*; shape (member, unit, feature).
    """

    keys: Tensor
    fast: Tensor
    fast_embedding: Tensor


@register("learner")
class MetaNetworks(OnePassLearner):
    """ŷ = W f(x) + W* f(x), W* = Σ_i a_i m(∇L_i), a = softmax_i s cos(r(x), r_i)."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "Meta Networks"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    answers: ClassVar[tuple[str, ...]] = ("classes",)

    hidden: int = knob(
        32,
        label="Representation size",
        unit="units",
        low=1,
        high=512,
        work="size",
        help="Units of the layer r that keys are made by.",
    )
    fast_weights: bool = knob(
        True,
        label="Fast weights",
        help="Without them only the slow weights answer, which know no task.",
    )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the embedding, the slow layers and the nets that make fast weights."""
        assert isinstance(tasks, EpisodeBatch)
        like = tasks.support.x
        weights = draw_weights(tasks.net, tasks.body, rngs, like)
        sizes = {
            "embed.": (feature_count(weights, tasks), self.hidden),
            "embed_out.": (self.hidden, tasks.outputs),
            "base.": (feature_count(weights, tasks), tasks.outputs),
            "to_embed.": (2, UNITS, 1),
            "to_base.": (2, UNITS, 1),
        }
        nets = [_draw_nets(sizes, rng) for rng in rngs]
        drawn = {name: v.to(like) for name, v in stack_members(nets).items()}
        drawn["log_scale"] = initial_log_scale(len(rngs), 10.0, like)
        return Meta(weights | drawn, {})

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return why its slow layers do not fit the ways; None if they do."""
        assert isinstance(tasks, EpisodeBatch)
        has = meta.weights["base.b0"].shape[1]
        if has == tasks.outputs:
            return None
        return (
            f"its slow weights were trained for {has} ways and cannot answer "
            f"{tasks.outputs}"
        )

    def outputs(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        """Answer with slow weights and those that each query looks up."""
        support, query = embed_examples(theta, tasks)
        slow = apply_dense(theta, query, "base.")
        if not self.fast_weights:
            return slow
        memory = read_support(theta, support, tasks)
        attention = look_up(theta, memory, query)
        # (Σ_i a_i W*_i) f, without making a matrix for each query.
        each = torch.einsum("mekf,mfq->mekq", memory.fast, query)
        return slow + torch.einsum("meq,mekq->mkq", attention, each)

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Show which support examples each query of the first episode looks up."""
        assert isinstance(tasks, EpisodeBatch)
        some = tasks.first_tasks(1)
        with torch.no_grad():
            support, query = embed_examples(meta.weights, some)
            memory = read_support(meta.weights, support, some)
            found = look_up(meta.weights, memory, query)
        return {"attention": attention_map(found.mT)}


def read_support(theta: Weights, support: Tensor, tasks: EpisodeBatch) -> SupportMemory:
    """Return fast weights from the support's gradients, and their keys.

    The gradients are inputs, so none flows through them.

    Args:
        theta: Weights of each member.
        support: Features f of the support; shape (member, feature, example).
        tasks: The episodes, for the labels.
    """
    y = one_hot(tasks.support.y, tasks.outputs, support).mT
    with torch.no_grad():
        of_embedding = embedding_gradient(theta, support, y)
        of_base = base_gradients(theta, support, y)
    fast_embedding = _fast_weights(theta, "to_embed.", of_embedding)
    keys = represent(theta, fast_embedding, support)
    return SupportMemory(
        keys, _fast_weights(theta, "to_base.", of_base), fast_embedding
    )


def look_up(theta: Weights, memory: SupportMemory, query: Tensor) -> Tensor:
    """Return how much each query attends to each example; (member, example, query)."""
    represented = represent(theta, memory.fast_embedding, query)
    scores = apply_scale(theta["log_scale"], cosines(memory.keys, represented))
    return scores.softmax(1)


def represent(theta: Weights, fast: Tensor, features: Tensor) -> Tensor:
    """Return r = relu(Q f + q) + relu(Q* f); shape (member, unit, example)."""
    slow = torch.relu(apply_dense(theta, features, "embed."))
    return slow + torch.relu(fast @ features)


def embedding_gradient(theta: Weights, support: Tensor, y: Tensor) -> Tensor:
    """Return the gradient in Q of the mean cross-entropy of the representation.

    Args:
        theta: Weights of each member.
        support: Features; shape (member, feature, example).
        y: One-hot labels; shape (member, output, example).

    Returns:
        Shape (member, unit, feature).
    """
    before = apply_dense(theta, support, "embed.")
    out = apply_dense(theta, torch.relu(before), "embed_out.")
    wrong = out.softmax(1) - y
    back = (theta["embed_out.w0"].mT @ wrong) * (before > 0)
    return back @ support.mT / support.shape[2]


def base_gradients(theta: Weights, support: Tensor, y: Tensor) -> Tensor:
    """Return the gradient in W of each example's cross-entropy.

    Args:
        theta: Weights of each member.
        support: Features; shape (member, feature, example).
        y: One-hot labels; shape (member, output, example).

    Returns:
        Shape (member, example, output, feature).
    """
    wrong = apply_dense(theta, support, "base.").softmax(1) - y
    return wrong.mT.unsqueeze(3) * support.mT.unsqueeze(2)


def _fast_weights(theta: Weights, prefix: str, grads: Tensor) -> Tensor:
    """Turn gradients into weights, each coordinate by the same small net."""
    seen = preprocess(grads.flatten(1), RANGE)
    return apply_dense(theta, seen, prefix).view_as(grads)


def _draw_nets(sizes: dict[str, tuple[int, ...]], rng: Rng) -> Weights:
    return {
        prefix + name: value
        for prefix, widths in sizes.items()
        for name, value in init_dense(widths, rng.child(prefix), last=0.1).items()
    }
