"""Meta-SGD: learn a start and, for each weight, the rate that it adapts at.

Source: Li, Zhou, Chen and Li (2017), arXiv:1707.09835, algorithm 1.
Differs: the outer rule is a choice of the run; it is Adam in the paper.
Helps: one inner step does more than MAML's; more steps than it was trained for can
blow up. A rate may turn negative.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.algorithms.few_shot.inner_loop import (
    adapted,
    inner_steps,
    movable,
    predictions,
    query_loss,
    scaled,
)
from engine.algorithms.few_shot.knobs import (
    inner_clip,
    inner_count,
    inner_rate,
    shown_count,
)
from engine.algorithms.few_shot.learner import FewShotLearner, Lost, drawn, wrong_head
from engine.algorithms.few_shot.meta_gradients import meta_cosine, outer_adapted
from engine.algorithms.few_shot.running_statistics import Seen
from engine.contract.knobs import knob
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
    generator,
)

LOW, HIGH = 0.005, 0.1


@register("learner")
class MetaSgd(FewShotLearner):
    """(θ, a) ← (θ, a) − β ∇ mean over tasks of L_Q(φ_k), φ_{i+1} = φ_i − a ∘ ∇L_S."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "magenta"
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    trains: ClassVar[bool] = True
    compiles: ClassVar[bool] = True

    start: Literal["uniform", "constant"] = knob(
        "uniform", label="Start of the rates",
        help="Each drawn between 0.005 and 0.1, or all the same.",
    )  # fmt: skip
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
        """Draw the start, one net per replicate, and a rate for each of its weights."""
        assert isinstance(tasks, Episodes)
        weights = drawn(tasks.net, tasks.layout, rngs, tasks.support.x)
        rates = {
            f"alpha.{name}": self._rates(rngs, name, weights[name])
            for name in movable(tasks)
        }
        return Meta(weights | rates, {})

    def predict(self, theta: Weights, tasks: Episodes) -> Iterator[Prediction]:
        """Answer after 0, 1, … inner steps."""
        start, rates = _parts(theta)
        steps = max(tasks.horizon, self.answer_step(Meta({}, {})))
        rule = scaled(lambda step: rates, self.inner_clip)
        return predictions(tasks, start, inner_steps(tasks, start, rule, steps))

    def outer(
        self, meta: Meta, tasks: TaskBatch, lesson: Lesson, estimator: Estimator
    ) -> Outer:
        """Differentiate the queries' loss through the inner steps, rates included."""
        return outer_adapted(meta, tasks, partial(self._lost, 2), lesson.quicken)

    def inspect(self, meta: Meta, tasks: TaskBatch) -> dict[str, Inspected]:
        """Say what second derivatives change, and the mean rate of each layer."""
        assert isinstance(tasks, Episodes)
        _, rates = _parts(meta.weights)
        layers = [
            torch.cat([rates[n].flatten(1) for n in layer if n in rates], 1).mean(1)
            for layer in tasks.layout.layers
        ]
        seen = Inspected(("layer",), torch.stack(layers, 1))
        return meta_cosine(meta, tasks, self._lost) | {"inner_lr": seen}

    def unfit(self, meta: Meta, tasks: TaskBatch) -> str:
        """Say so where there are more or fewer ways than its head has."""
        assert isinstance(tasks, Episodes)
        return wrong_head(meta, tasks)

    def _rates(self, rngs: Sequence[Rng], name: str, like: Tensor) -> Tensor:
        if self.start == "constant":
            return torch.full_like(like, self.inner_lr)
        rows = [
            torch.from_numpy(
                generator(rng.child("rates", name)).uniform(LOW, HIGH, like.shape[1:])
            )
            for rng in rngs
        ]
        return torch.stack(rows).to(like)

    def _lost(self, order: int, seen: list[Seen] | None = None) -> Lost:
        def lost(theta: Weights, some: Episodes) -> Tensor:
            start, rates = _parts(theta)
            rule = scaled(lambda step: rates, self.inner_clip)
            weights = adapted(
                some, start, rule, self.inner_steps, order=order, seen=seen
            )
            return query_loss(some, weights, self.inner_steps, seen)

        return lost


def _parts(theta: Weights) -> tuple[Weights, Weights]:
    """Take the start and the rates apart; both by the weight's name."""
    rates = {n: theta[f"alpha.{n}"] for n in theta if f"alpha.{n}" in theta}
    return {n: v for n, v in theta.items() if not n.startswith("alpha.")}, rates
