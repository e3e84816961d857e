"""T-Net: learn in which coordinates each layer's inner step is taken.

Source: Lee and Choi (2018), arXiv:1801.05558, section 3.1.
Differs: no mask on the inner gradient (MT-Net). T stands behind a layer's weights, and
behind its shift where the layer has nothing else.
Helps: less depends on the inner rate. The net has more weights than MAML's: T makes a
layer two, so a deeper MAML is the fair one to compare it with.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.few_shot.inner_loop import (
    Through,
    adapted,
    inner_steps,
    predictions,
    query_loss,
    sgd,
)
from engine.algorithms.few_shot.knobs import (
    inner_clip,
    inner_count,
    inner_rate,
    shown_count,
)
from engine.algorithms.few_shot.learner import (
    FewShotLearner,
    Lost,
    drawn,
    features,
    wrong_head,
)
from engine.algorithms.few_shot.meta_gradients import meta_cosine, outer_adapted
from engine.algorithms.few_shot.running_statistics import Seen
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    Episodes,
    Estimator,
    Inspected,
    Lesson,
    Meta,
    Outer,
    Prediction,
    TaskBatch,
    Weights,
)


@register("learner")
class TNet(FewShotLearner):
    """y = T (W x + b); (W, b) adapt as MAML's, (θ, T) ← (θ, T) − β ∇ mean L_Q(φ_k)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "orange"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    inner_lr: float = inner_rate()
    inner_steps: int = inner_count()
    test_steps: int = shown_count()
    inner_clip: float = inner_clip()

    @property
    def lesson_gradients(self) -> float:
        """Return k inner gradients, each differentiated again, and the outer one."""
        return 2.0 * self.inner_steps + 1.0

    def answer_step(self, meta: Meta) -> int:
        """Return the inner steps at test."""
        return self.test_steps or self.inner_steps

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the start, one net per replicate; every T is the identity."""
        assert isinstance(tasks, Episodes)
        weights = drawn(tasks.net, tasks.layout, rngs, tasks.support.x)
        for layer in tasks.layout.layers:
            out = weights[layer[0]].shape[1]
            one = torch.eye(out, out=weights[layer[0]].new_empty(0))
            weights[f"t.{layer[0]}"] = one.expand(len(rngs), -1, -1).contiguous()
        return Meta(weights, {})

    def predict(self, theta: Weights, tasks: Episodes) -> Iterator[Prediction]:
        """Answer after 0, 1, … inner steps."""
        start, through = _parts(theta, tasks)
        steps = max(tasks.horizon, self.answer_step(Meta({}, {})))
        rule = sgd(self.inner_lr, self.inner_clip)
        inner = inner_steps(tasks, start, rule, steps, through=through)
        return predictions(tasks, start, inner, through)

    def embed(self, theta: Weights, tasks: Episodes) -> tuple[Tensor, Tensor] | None:
        """Return the features behind every layer's T."""
        start, through = _parts(theta, tasks)
        return features(through(start), tasks)

    def outer(
        self, meta: Meta, tasks: TaskBatch, lesson: Lesson, estimator: Estimator
    ) -> Outer:
        """Differentiate the queries' loss through the inner steps."""
        return outer_adapted(meta, tasks, partial(self._lost, 2), lesson.quicken)

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspected]:
        """Say what second derivatives change."""
        return meta_cosine(meta, tasks, self._lost)

    def unfit(self, meta: Meta, tasks: TaskBatch) -> str:
        """Say so where there are more or fewer ways than its head has."""
        assert isinstance(tasks, Episodes)
        return wrong_head(meta, tasks)

    def _lost(self, order: int, seen: list[Seen] | None = None) -> Lost:
        def lost(theta: Weights, some: Episodes) -> Tensor:
            start, through = _parts(theta, some)
            rule = sgd(self.inner_lr, self.inner_clip)
            weights = adapted(
                some,
                start,
                rule,
                self.inner_steps,
                order=order,
                through=through,
                seen=seen,
            )
            return query_loss(some, through(weights), self.inner_steps, seen)

        return lost


def _parts(theta: Weights, tasks: Episodes) -> tuple[Weights, Through]:
    """Take the start and what stands behind its layers apart."""
    start = {name: value for name, value in theta.items() if not name.startswith("t.")}
    behind = {
        name: theta[f"t.{layer[0]}"]
        for layer in tasks.layout.layers
        for name in (layer if len(layer) == 2 else layer[:1])
    }

    def through(weights: Weights) -> Weights:
        return weights | {n: _times(t, weights[n]) for n, t in behind.items()}

    return start, through


def _times(matrix: Tensor, weight: Tensor) -> Tensor:
    """Multiply a weight's outputs; (member, out, out) and (member, out, …)."""
    rows = weight.reshape(*weight.shape[:2], -1)
    return torch.bmm(matrix, rows).view_as(weight)
