"""MAML: learn a start from which a few gradient steps solve a new task.

Source: Finn, Abbeel and Levine (2017), arXiv:1703.03400, algorithms 1 and 2.
Differs: the outer rule is a choice of the run; it is Adam in the paper.
Helps: where new tasks need other features, not only another head; regression most.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.inner_loop import (
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
from engine.algorithms.few_shot.learner import FewShotLearner, Lost, drawn, wrong_head
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
class Maml(FewShotLearner):
    """θ ← θ − β ∇ mean over tasks of L_Q(φ_k), φ_{i+1} = φ_i − α ∇L_S(φ_i), φ_0 = θ."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "blue"
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
        """Draw the start, one net per replicate."""
        assert isinstance(tasks, Episodes)
        return Meta(drawn(tasks.net, tasks.layout, rngs, tasks.support.x), {})

    def predict(self, theta: Weights, tasks: Episodes) -> Iterator[Prediction]:
        """Answer after 0, 1, … inner steps."""
        steps = max(tasks.horizon, self.answer_step(Meta({}, {})))
        rule = sgd(self.inner_lr, self.inner_clip)
        return predictions(tasks, theta, inner_steps(tasks, theta, rule, steps))

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
            rule = sgd(self.inner_lr, self.inner_clip)
            weights = adapted(
                some, theta, rule, self.inner_steps, order=order, seen=seen
            )
            return query_loss(some, weights, self.inner_steps, seen)

        return lost
