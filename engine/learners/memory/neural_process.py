"""Neural process: encode each example, average, and decode a density at each query.

Source: Garnelo et al. (2018), arXiv:1807.01613, section 2.2, equations 1 to 4; Kim et
al. (2019), arXiv:1901.05761, section 3, for attention; σ = 0.1 + 0.9 softplus is of
both papers' code.
Differs: x is first embedded by the run's net without its head. Attention is from
queries to support only: multi-head dot products of linear keys; no self-attention, and
no latent variable, so that functions cannot be sampled. All tasks of a meta-step have
equally many context points. In classification the context is the whole support, and the
mean is over all of it, with the class as an input, not class by class.
Helps: functions of any form from any number of points, with a density, in one forward
pass. The mean underfits at the support itself; attention does not.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import EXCLUDED, feature_count
from engine.algorithms.few_shot.few_shot_learner import (
    FewShotLearner,
)
from engine.algorithms.few_shot.inspected_episodes import attention_map
from engine.algorithms.few_shot.outer_gradient import outer_gradient
from engine.algorithms.few_shot.sequences import (
    embed_sequence,
    encode_targets,
    visible_examples,
)
from engine.algorithms.initial_weights import draw_weights
from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.nets.dense import apply_dense, init_dense, stack_members
from engine.protocol import (
    Density,
    EpisodeBatch,
    Estimator,
    ExampleBatch,
    Inspection,
    Meta,
    Outer,
    OuterStepContext,
    Prediction,
    TaskBatch,
    Weights,
    generator,
)


@register("learner")
class NeuralProcess(FewShotLearner):
    """μ, σ = g(x, Σ_i a_i h(x_i, y_i)), a_i = 1/K or softmax; −log N(y | μ, σ²)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "purple"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    reads_sequences: ClassVar[bool] = True

    aggregation: Literal["mean", "attention"] = knob(
        "mean",
        label="Aggregation",
        help="mean: the same summary of the support for all queries; attention: each "
        "query weighs the examples itself.",
    )
    width: int = knob(
        64,
        label="Width",
        unit="units",
        low=4,
        high=512,
        work="size",
        help="Hidden units of encoder and decoder, and size of the summary.",
    )
    layers: int = knob(
        2,
        label="Hidden layers",
        unit="layers",
        low=1,
        high=6,
        work="passes",
        help="Of the encoder, and of the decoder.",
    )
    heads: int = knob(
        4,
        label="Heads",
        unit="heads",
        low=1,
        high=16,
        help="Of the attention; they divide the width.",
        advanced=True,
    )
    least_sd: float = knob(
        0.1,
        label="Smallest σ",
        low=1e-3,
        high=1.0,
        log=True,
        help="σ = smallest + (1 − smallest) softplus: keeps the likelihood of targets "
        "without noise from growing for ever. In units of the targets.",
    )
    context: Literal["random", "whole"] = knob(
        "random",
        label="Context in training",
        help="random: the first n of the support, n drawn for each meta-step, predict "
        "support and queries; whole: the support predicts the queries.",
        advanced=True,
    )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw embedding, encoder, decoder and attention, one of each per replicate.

        Raises:
            Refused: If the heads of attention do not divide the width.
        """
        assert isinstance(tasks, EpisodeBatch)
        if self.aggregation == "attention" and self.width % self.heads:
            raise Refused(
                f"width {self.width} is not a multiple of {self.heads} heads; choose "
                f"{self.width // self.heads * self.heads or self.heads}",
                "width",
            )
        weights = draw_weights(tasks.net, tasks.body, rngs, tasks.support.x)
        size = feature_count(weights, tasks)
        for name, sizes in self._net_sizes(size, tasks).items():
            # The output layer is drawn, too: zeros would pass no gradient below it.
            nets = [init_dense(sizes, rng.child(name), last=1.0) for rng in rngs]
            for key, value in stack_members(nets).items():
                weights[f"{name}.{key}"] = value.to(tasks.support.x)
        return Meta(weights, {})

    def _net_sizes(self, size: int, tasks: EpisodeBatch) -> dict[str, tuple[int, ...]]:
        """Return the widths of each net, from input to output."""
        hidden = (self.width,) * self.layers
        answers = tasks.outputs if tasks.has_classes else 2  # mean and σ
        found = {
            "encoder": (size + tasks.outputs, *hidden, self.width),
            "decoder": (size + self.width, *hidden, answers),
        }
        if self.aggregation == "attention":
            found |= dict.fromkeys(("key", "question"), (size, self.width))
        return found

    def training_tasks(self, tasks: TaskBatch, rng: Rng) -> TaskBatch:
        """Return episodes whose context is random, and whose targets are all examples.

        The queries of online episodes have contexts of every length already. A context
        without an example of some class could not name it.
        """
        assert isinstance(tasks, EpisodeBatch)
        if tasks.online or tasks.has_classes or self.context == "whole":
            return tasks
        seen = generator(rng.child("context")).integers(1, tasks.support.count + 1)
        support, query = tasks.support, tasks.query
        every = ExampleBatch(
            torch.cat([support.x, query.x], 2), torch.cat([support.y, query.y], 1)
        )
        return replace(tasks.first_shots(int(seen)), query=every)

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Predict each query from the examples that it may use, without adaptation."""
        out = self._decode(theta, tasks)
        if tasks.has_classes:
            yield Prediction(0, out)
            return
        believed = self._density(out)
        yield Prediction(0, believed.mean, density=believed)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the negative log-likelihood of the targets."""

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            out = self._decode(theta, batch)
            if batch.has_classes:
                return batch.each_loss(out, batch.query.y).mean(1)
            return -self._density(out).log_density(batch.query.y).mean(1)

        return outer_gradient(meta, tasks, task_loss, step_context.compile_gradient)

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Return the attention of each replicate's first task, averaged over heads."""
        assert isinstance(tasks, EpisodeBatch)
        if self.aggregation == "mean":
            return {}
        some, theta = tasks.first_tasks(1), meta.weights
        with torch.no_grad():
            found = self._attention(theta, *embed_sequence(theta, some), some).mean(1)
        return {"attention": attention_map(found)}

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why it cannot answer these ways; None if it can."""
        assert isinstance(tasks, EpisodeBatch)
        answers = tasks.outputs if tasks.has_classes else 2
        last = meta.weights[f"decoder.b{self.layers}"].shape[1]
        if last == answers:
            return None
        return f"its decoder was trained for {last} ways and cannot answer {answers}"

    def _decode(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        """Return the decoder's outputs; shape (member, output, query)."""
        support, query = embed_sequence(theta, tasks)
        examples = torch.cat([support, encode_targets(tasks)], 1)
        encoded = apply_dense(theta, examples, "encoder.", F.relu)
        weights = self._attention(theta, support, query, tasks)
        heads = encoded.unflatten(1, (weights.shape[1], -1))
        summary = (heads @ weights.mT).flatten(1, 2)
        return apply_dense(theta, torch.cat([query, summary], 1), "decoder.", F.relu)

    def _attention(
        self, theta: Weights, support: Tensor, query: Tensor, tasks: EpisodeBatch
    ) -> Tensor:
        """Return the weight of each example in each query's summary.

        Returns:
            0 where a query may not use an example; one head for the mean; shape
            (member, head, query, example).
        """
        visible = visible_examples(tasks).to(support)
        if self.aggregation == "mean":
            # A first query has no example before it, and a summary of 0.
            share = visible / visible.sum(1, keepdim=True).clamp(min=1.0)
            return share.expand(len(support), 1, -1, -1)
        key, question = (
            apply_dense(theta, features, f"{name}.").unflatten(1, (self.heads, -1))
            for name, features in (("key", support), ("question", query))
        )
        scores = question.mT @ key / math.sqrt(key.shape[2])
        return scores.masked_fill(visible == 0, EXCLUDED).softmax(-1) * visible

    def _density(self, out: Tensor) -> Density:
        """Return the density of values; shape (member, 1, query)."""
        mean, raw = out.split(1, 1)
        return Density(mean, self.least_sd + (1.0 - self.least_sd) * F.softplus(raw))
