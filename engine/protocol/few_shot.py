"""Batches of few-shot episodes: support sets to adapt on, queries to predict."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

from engine.kernels.dense_loss import DenseKernel, DenseLayers, find_kernel
from engine.kernels.member_loss import member_loss
from engine.protocol.density import Density
from engine.protocol.meta_types import Weights
from engine.protocol.nets import Layout, Net
from engine.protocol.tasks import TaskBatch


@dataclass(frozen=True)
class ExampleBatch:
    """Examples of some tasks.

    Args:
        x: Flattened inputs, features first; shape (member, feature, example).
        y: Targets: the episode's class labels (int64), or regression values; shape
            (member, example).
        ids: Each example's class in the pool, for learners that classify all
            classes at once; shape (member, example). None for regression.
    """

    x: Tensor
    y: Tensor
    ids: Tensor | None = None

    @property
    def count(self) -> int:
        """Number of examples per task."""
        return self.x.shape[2]

    def map(self, change: Callable[[Tensor], Tensor]) -> "ExampleBatch":
        """Apply a function to every tensor."""
        ids = None if self.ids is None else change(self.ids)
        return ExampleBatch(change(self.x), change(self.y), ids)

    def cut(self, first: int, last: int) -> "ExampleBatch":
        """Return the examples from `first` up to `last`, which is left out."""
        return self.map(lambda tensor: tensor[..., first:last])


@dataclass(frozen=True)
class EpisodeBatch(TaskBatch):
    """Few-shot tasks: a learner adapts on the support and is scored on the queries.

    Args:
        net: The base net; its weights belong to the learner, not to the task.
        shape: Shape of one example: (feature,), or (channel, height, width).
        outputs: Ways, the classes of each episode; 1 for regression.
        has_classes: Whether targets are classes (else regression values).
        known_classes: Number of classes in the meta-training pool; 0 for regression.
        replicates: Number of replicates; members lie replicate by replicate.
        horizon: Number of inner steps that are recorded.
        support: Labeled examples.
        query: Examples to be predicted.
        truth: Noise-free inputs and targets, for plots; shape (member, 2, point).
        online: Whether targets are revealed one by one: the queries are the support's
            own examples, and each is predicted from those before it.
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
    online: bool = False

    @property
    def members(self) -> int:
        return self.support.y.shape[0]

    @property
    def context_lengths(self) -> tuple[int, ...]:
        """Return the number of leading support examples that each query may use."""
        if self.online:
            return tuple(range(self.query.count))
        return (self.support.count,) * self.query.count

    @property
    def chunk(self) -> int:  # type: ignore[override]
        """Number of members at which the net is fastest."""
        return self.net.chunk

    @property
    def layout(self) -> Layout:
        """Layout of the net's weights, head included."""
        return self.net.layout(self.shape, self.outputs)

    @property
    def body(self) -> Layout:
        """Layout of the net's weights without its head."""
        return self.net.layout(self.shape, 0)

    def take(self, index: Sequence[int]) -> Self:
        """Return the chosen members as one replicate."""
        chosen = torch.as_tensor(index, device=self.support.y.device)
        return self.map_tensors(lambda tensor: tensor[chosen], 1)

    def map_tensors(
        self, change: Callable[[Tensor], Tensor], replicates: int = 0
    ) -> Self:
        """Apply a function to every tensor, always in the same order.

        Args:
            change: The function; the first axis is the member.
            replicates: Replicates of the result; 0 leaves them as they are.
        """
        return replace(
            self,
            replicates=replicates or self.replicates,
            support=self.support.map(change),
            query=self.query.map(change),
            truth=None if self.truth is None else change(self.truth),
        )

    def first_tasks(self, count: int) -> Self:
        """Return the first tasks of each replicate, or all if there are fewer."""
        each = self.members // self.replicates
        # Members are ordered replicate × task.
        kept = [
            r * each + t for r in range(self.replicates) for t in range(each)[:count]
        ]
        return replace(self.take(kept), replicates=self.replicates)

    def first_shots(self, count: int) -> Self:
        """Return the episodes with only the first examples of their support."""
        return replace(self, support=self.support.cut(0, count))

    def split(self, count: int, last: int | None = None) -> Self:
        """Return online episodes as they are after some examples were revealed.

        Args:
            count: Number of revealed examples, which become the support.
            last: The queries are those from `count` up to this one, which is left out;
                None for all the rest.
        """
        rest = self.query.cut(count, self.query.count if last is None else last)
        return replace(self.first_shots(count), query=rest, online=False)

    def answer(self, weights: Weights, shots: ExampleBatch, step: int = 0) -> Tensor:
        """Return the net's outputs for the support or the queries.

        Args:
            weights: Named weights of each member; shape (member, …).
            shots: This batch's support or query.
            step: Inner step that the weights belong to.

        Returns:
            Outputs, shape (member, output, example). Where the net takes its
            statistics from the support, queries are passed along with the support.
        """
        if shots is self.support or not self.net.support_statistics:
            # Zero examples only pad the product to a faster size; they are cut off.
            lacking = max(0, self.net.min_examples - shots.count)
            x = F.pad(shots.x, (0, lacking)) if lacking else shots.x
            return self.net.apply(weights, x, step=step)[..., : shots.count]
        # The support comes first: its statistics are those of the leading examples.
        both = torch.cat([self.support.x, shots.x], 2)
        seen = self.support.count
        return self.net.apply(weights, both, reference=seen, step=step)[..., seen:]

    def each_loss(self, out: Tensor, y: Tensor) -> Tensor:
        """Return the loss of each example.

        Args:
            out: Outputs; shape (member, output, example).
            y: Targets; shape (member, example).

        Returns:
            Cross-entropy in nats, or squared error; shape (member, example).
        """
        if self.has_classes:
            return F.cross_entropy(out, y, reduction="none")
        return (out[:, 0] - y).square()

    def loss(self, weights: Weights, shots: ExampleBatch, step: int = 0) -> Tensor:
        """Return the mean loss over a task's examples.

        Args:
            weights: Named weights of each member; shape (member, …).
            shots: This batch's support or query.
            step: Inner step that the weights belong to.

        Returns:
            Nats, or squared error; shape (member,).
        """
        kernel = self._find_kernel(weights, shots)
        if kernel:
            every = [weights[name] for name in self.layout.names]
            return member_loss(kernel, every, shots.x, shots.y)
        return self.each_loss(self.answer(weights, shots, step), shots.y).mean(1)

    def _find_kernel(self, weights: Weights, shots: ExampleBatch) -> DenseKernel | None:
        """Return the compiled code for the net's loss; None if torch computes it."""
        layout, layers = self._dense_layout
        if layers is None or shots.x.requires_grad:
            return None
        fits = all(
            weights[name].shape == (self.members, *shape)
            for name, shape in zip(layout.names, layout.shapes, strict=True)
        )
        return find_kernel(layers, shots.x) if fits else None

    @cached_property
    def _dense_layout(self) -> tuple[Layout, DenseLayers | None]:
        return self.layout, self.net.dense_layers(self.layout)


class Prediction(NamedTuple):
    """A learner's predictions after some inner steps.

    Args:
        step: Number of inner steps taken.
        query_outputs: Outputs for the queries; shape (member, output, example).
        support_loss: Loss on the support, if computed; shape (member,).
        distance: L2 distance from the weights before adaptation; shape (member,).
        layer_grad_norms: L2 norm of the last inner gradient, by layer; shape
            (member, layer).
        density: What the learner believes of the targets, for regression; None if it
            only predicts values. For classes the softmax of `query_outputs` is its
            belief.
    """

    step: int
    query_outputs: Tensor
    support_loss: Tensor | None = None
    distance: Tensor | None = None
    layer_grad_norms: Tensor | None = None
    density: Density | None = None
