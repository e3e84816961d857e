"""Base class of learners that read an episode as tokens, by attention at the last.

They are one algorithm (embed the examples, make tokens, read them, answer from the
tokens of the queries) with two steps left open: which layers there are, and `read`.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import feature_count
from engine.algorithms.few_shot.inspected_episodes import attention_map
from engine.algorithms.few_shot.one_pass_learner import OnePassLearner
from engine.algorithms.few_shot.sequences import token_size
from engine.algorithms.few_shot.token_layers import (
    draw_layers,
    query_attention,
    why_other_ways,
)
from engine.algorithms.initial_weights import draw_weights
from engine.contract.rng import Rng
from engine.nets.initialization import Shapes
from engine.protocol import EpisodeBatch, Inspection, Meta, TaskBatch, Weights

READ_OUT = "out"  # the layer that turns a query's channels into outputs


class TokenLearner(OnePassLearner):
    """A learner of tokens, whose last attention can be looked at."""

    reads_sequences: ClassVar[bool] = True

    @abstractmethod
    def layer_shapes(self, channels: int, tasks: EpisodeBatch) -> Shapes:
        """Return names and shapes of all weights but the embedding's.

        Args:
            channels: Size of a token.
            tasks: The episodes, for the sizes of supports and targets.

        Raises:
            Refused: If the knobs do not fit together.
        """

    @abstractmethod
    def layer_gains(self, shapes: Shapes) -> dict[str, float]:
        """Return the variance of weights × fan-in by name, where it is not 1.

        Args:
            shapes: From `layer_shapes`.
        """

    @abstractmethod
    def read(self, theta: Weights, tasks: EpisodeBatch) -> tuple[Tensor, Tensor]:
        """Answer the queries from their tokens.

        Args:
            theta: Meta-weights of each member; shape (member, …).
            tasks: The episodes.

        Returns:
            Outputs, shape (member, output, query), and the weights of the last
            attention, as from `attend`.
        """

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the embedding and the layers, one of each per replicate.

        Raises:
            Refused: If the knobs do not fit together.
        """
        assert isinstance(tasks, EpisodeBatch)
        like = tasks.support.x
        body = draw_weights(tasks.net, tasks.body, rngs, like)
        channels = token_size(feature_count(body, tasks), tasks)
        shapes = self.layer_shapes(channels, tasks)
        layers = draw_layers(shapes, rngs, like, self.layer_gains(shapes))
        return Meta(body | layers, {})

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why its tokens do not fit the ways; None if they do."""
        assert isinstance(tasks, EpisodeBatch)
        return why_other_ways(meta.weights, READ_OUT, tasks)

    def outputs(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        """Answer each query from the examples that it may use, in one pass."""
        return self.read(theta, tasks)[0]

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspection]:
        """Return what the last attention's queries look at, in each first episode."""
        assert isinstance(tasks, EpisodeBatch)
        some = tasks.first_tasks(1)
        with torch.no_grad():
            _, weights = self.read(meta.weights, some)
        return {"attention": attention_map(query_attention(weights, some))}
