"""FOMAML: MAML that takes its inner gradients as given.

Source: Finn, Abbeel and Levine (2017), arXiv:1703.03400, section 5.2; named by
Nichol, Achiam and Schulman (2018), arXiv:1803.02999.
Differs: the outer rule is a choice of the run; it is Adam in the paper.
Helps: nearly as good as MAML where the loss bends little, for half the work.
"""

from collections.abc import Iterator, Sequence
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
from engine.algorithms.few_shot.meta_gradients import outer_adapted
from engine.algorithms.few_shot.running_statistics import Seen
from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import (
    Episodes,
    Estimator,
    Lesson,
    Meta,
    Outer,
    Prediction,
    TaskBatch,
    Weights,
)


@register("learner")
class Fomaml(FewShotLearner):
    """θ ← θ − β mean over tasks of ∇L_Q(φ_k), φ_{i+1} = φ_i − α ∇L_S(φ_i), φ_0 = θ."""

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
        """Return k inner gradients and the outer one."""
        return self.inner_steps + 1.0

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
        """Take the queries' gradient where the inner steps end."""
        return outer_adapted(meta, tasks, self._lost, lesson.quicken)

    def unfit(self, meta: Meta, tasks: TaskBatch) -> str:
        """Say so where there are more or fewer ways than its head has."""
        assert isinstance(tasks, Episodes)
        return wrong_head(meta, tasks)

    def _lost(self, seen: list[Seen]) -> Lost:
        def lost(theta: Weights, some: Episodes) -> Tensor:
            rule = sgd(self.inner_lr, self.inner_clip)
            weights = adapted(some, theta, rule, self.inner_steps, order=1, seen=seen)
            return query_loss(some, weights, self.inner_steps, seen)

        return lost
