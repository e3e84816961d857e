"""Few-shot tasks side by side: supports to learn from, queries to answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.protocol.meta_types import Weights
from engine.protocol.nets import Layout, Net
from engine.protocol.tasks import TaskBatch


@dataclass(frozen=True)
class ExampleBatch:
    """Examples of some tasks.

    Args:
        x: Inputs, one example's numbers in a row; shape (member, feature, example).
        y: Targets: classes of the episode, or values; shape (member, example).
        ids: Classes of the pool, for those who learn all of them at once; the same
            shape, None where targets are values.
    """

    x: Tensor
    y: Tensor
    ids: Tensor | None = None

    @property
    def count(self) -> int:
        """How many examples a task has."""
        return self.x.shape[2]

    def map(self, change: Callable[[Tensor], Tensor]) -> "ExampleBatch":
        """Apply a function to every tensor."""
        ids = None if self.ids is None else change(self.ids)
        return ExampleBatch(change(self.x), change(self.y), ids)


@dataclass(frozen=True)
class EpisodeBatch(TaskBatch):
    """Few-shot tasks: each learner sees the support and is judged on the queries.

    Args:
        net: What answers; its weights belong to the learner, not to the task.
        shape: Of one example: (feature,), or (channel, height, width).
        outputs: Ways: classes of each episode, or 1 where answers are values.
        classes: Whether answers are classes.
        known: How many classes the pool of meta-training has; 0 for values.
        replicates: Trainings that the members belong to, in order.
        horizon: Inner steps to be shown.
        support: Labelled examples.
        query: Examples to be answered.
        truth: Inputs and answers without noise, to be drawn; (member, 2, point).
    """

    net: Net
    shape: tuple[int, ...]
    outputs: int
    has_classes: bool
    known_classes: int
    replicates: int
    horizon: int
    support: ExampleBatch
    query: ExampleBatch
    truth: Tensor | None = None

    @property
    def members(self) -> int:
        return self.support.y.shape[0]

    @property
    def chunk(self) -> int:  # type: ignore[override]
        """How many members the net computes best at once."""
        return self.net.chunk

    @property
    def layout(self) -> Layout:
        """How the weights of a net with this many outputs lie."""
        return self.net.layout(self.shape, self.outputs)

    @property
    def body(self) -> Layout:
        """How the weights of the net without its head lie."""
        return self.net.layout(self.shape, 0)

    def take(self, index: Sequence[int]) -> Self:
        """Return the chosen members as one replicate."""
        chosen = torch.as_tensor(index, device=self.support.y.device)

        def take_rows(tensor: Tensor) -> Tensor:
            return tensor[chosen]

        return replace(
            self,
            replicates=1,
            support=self.support.map(take_rows),
            query=self.query.map(take_rows),
            truth=None if self.truth is None else take_rows(self.truth),
        )

    def answer(self, weights: Weights, shots: ExampleBatch, step: int = 0) -> Tensor:
        """Let the net answer the support or the queries.

        Args:
            weights: Of each member; shape (member, …).
            shots: This batch's support or query.
            step: Inner step that the weights are of.

        Returns:
            Shape (member, output, example). Where the net's statistics are those
            of the support, queries are answered behind it.
        """
        if shots is self.support or not self.net.support_statistics:
            lacking = max(0, self.net.min_examples - shots.count)
            x = F.pad(shots.x, (0, lacking)) if lacking else shots.x
            return self.net.apply(weights, x, step=step)[..., : shots.count]
        both = torch.cat([self.support.x, shots.x], 2)
        seen = self.support.count
        return self.net.apply(weights, both, reference=seen, step=step)[..., seen:]

    def each_loss(self, out: Tensor, y: Tensor) -> Tensor:
        """Return cross-entropy in nats, or squared error; shape (member, example)."""
        if self.has_classes:
            return F.cross_entropy(out, y, reduction="none")
        return (out[:, 0] - y).square()

    def loss(self, weights: Weights, shots: ExampleBatch, step: int = 0) -> Tensor:
        """Return the mean loss over a task's examples; shape (member,)."""
        return self.each_loss(self.answer(weights, shots, step), shots.y).mean(1)


class Prediction(NamedTuple):
    """What a learner answers after some inner steps.

    Args:
        step: Inner steps taken.
        query: Answers to the queries; shape (member, output, example).
        support: Loss on the support, where it was computed; shape (member,).
        moved: L2 distance from where adaptation began; shape (member,).
        curved: L2 norm of the inner gradient just taken, by layer;
            shape (member, layer).
    """

    step: int
    query_outputs: Tensor
    support_loss: Tensor | None = None
    distance: Tensor | None = None
    layer_grad_norms: Tensor | None = None
