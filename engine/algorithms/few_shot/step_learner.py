"""Base class of learners that read examples one by one, each target one step late.

They are one algorithm (embed the examples, read them in order, answer each query from
the state before it) with two steps left open: the state at the start, and one step.
"""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.embedding_distances import feature_count
from engine.algorithms.few_shot.one_pass_learner import OnePassLearner
from engine.algorithms.few_shot.sequence_reader import (
    ReadStep,
    input_size,
    read_episodes,
    why_other_ways,
)
from engine.algorithms.few_shot.sequences import shuffle_support
from engine.algorithms.initial_weights import draw_weights
from engine.contract.rng import Rng
from engine.nets.dense import stack_members
from engine.protocol import EpisodeBatch, Meta, TaskBatch, Weights

READ_OUT = "readout."  # prefix of the dense layer that answers


class StepLearner(OnePassLearner):
    """A learner with a state, trained through all steps of reading."""

    reads_sequences: ClassVar[bool] = True
    weights_per_member: ClassVar[bool] = False

    @abstractmethod
    def init_net(self, inputs: int, outputs: int, rng: Rng) -> Weights:
        """Draw the weights of one replicate, the read-out among them.

        Args:
            inputs: Size of an input: features, and the target before.
            outputs: Size of an output.
            rng: The replicate's stream.

        Raises:
            Refused: If the knobs do not fit together.
        """

    @abstractmethod
    def start(self, theta: Weights, tasks: EpisodeBatch) -> Weights:
        """Return the state before the first input; shape (group, item, …).

        Args:
            theta: Weights of each group of consecutive members.
            tasks: The episodes.
        """

    @abstractmethod
    def step(self, theta: Weights) -> ReadStep:
        """Return the function that reads one input.

        Args:
            theta: Weights of each group.
        """

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the embedding and the net of each replicate.

        Raises:
            Refused: If the knobs do not fit together.
        """
        assert isinstance(tasks, EpisodeBatch)
        like = tasks.support.x
        weights = draw_weights(tasks.net, tasks.body, rngs, like)
        size = input_size(feature_count(weights, tasks), tasks)
        nets = [self.init_net(size, tasks.outputs, rng) for rng in rngs]
        drawn = {name: v.to(like) for name, v in stack_members(nets).items()}
        return Meta(weights | drawn, {})

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return why targets of other sizes cannot be read; None if they can."""
        assert isinstance(tasks, EpisodeBatch)
        weights = meta.weights
        return why_other_ways(weights[f"{READ_OUT}b0"], tasks) if weights else None

    def training_tasks(self, tasks: TaskBatch, rng: Rng) -> TaskBatch:
        """Return the episodes with their supports in a random order."""
        assert isinstance(tasks, EpisodeBatch)
        return shuffle_support(tasks, rng)

    def outputs(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        """Read the support, then each query from the state that it leaves."""
        return read_episodes(theta, tasks, self.start(theta, tasks), self.step(theta))
