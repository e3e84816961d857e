"""MAML's family: learners that differ in where inner steps start and how they go.

A base class, for all of them are one algorithm (draw a start, take inner steps on the
support, answer the queries) with one step left open: `adaptation`.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import (
    FewShotLearner,
    TaskLoss,
    draw_weights,
    why_wrong_head,
)
from engine.algorithms.few_shot.inner_loop import (
    InnerRule,
    InnerState,
    WeightTransform,
    inner_steps,
    predictions,
    query_loss,
)
from engine.algorithms.few_shot.knobs import (
    inner_clip_knob,
    inner_rate_knob,
    inner_steps_knob,
    inner_test_steps_knob,
)
from engine.algorithms.few_shot.running_statistics import BatchStatistics
from engine.contract.rng import Rng
from engine.protocol import EpisodeBatch, Meta, Prediction, TaskBatch, Weights


class Adaptation(NamedTuple):
    """Where every member's inner steps start, and how they go.

    Args:
        start: The net's weights before the first step; shape (member, …).
        rule: How the moving weights follow their gradient.
        names: The weights that move; by default all that a gradient can.
        through: What the net is run with, if not with the adapted weights alone.
    """

    start: Weights
    rule: InnerRule
    names: Sequence[str] | None = None
    through: WeightTransform | None = None

    def steps(
        self,
        tasks: EpisodeBatch,
        count: int,
        *,
        order: int = 0,
        statistics: list[BatchStatistics] | None = None,
    ) -> Iterator[InnerState]:
        """Take inner steps; arguments and what is yielded as of `inner_steps`."""
        return inner_steps(
            tasks,
            self.start,
            self.rule,
            count,
            order=order,
            names=self.names,
            through=self.through,
            statistics=statistics,
        )


class GradientLearner(FewShotLearner):
    """A learner whose answer to a task is a net after some inner steps."""

    trains: ClassVar[bool] = True

    inner_lr: float = inner_rate_knob()
    inner_steps: int = inner_steps_knob()
    test_steps: int = inner_test_steps_knob()
    inner_clip: float = inner_clip_knob()

    @abstractmethod
    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Say where inner steps start and how they go.

        Args:
            theta: Meta-weights of each member; shape (member, …).
            tasks: The episodes.
        """

    def extra_weights(
        self, rngs: Sequence[Rng], start: Weights, tasks: EpisodeBatch
    ) -> Weights:
        """Return the meta-weights beside the net's own; (replicate, …) each."""
        return {}

    def answer_step(self, meta: Meta) -> int:
        """Return the inner steps at test."""
        return self.test_steps or self.inner_steps

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the start, one net per replicate."""
        assert isinstance(tasks, EpisodeBatch)
        start = draw_weights(tasks.net, tasks.layout, rngs, tasks.support.x)
        return Meta(start | self.extra_weights(rngs, start, tasks), {})

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Answer after 0, 1, … inner steps."""
        adaptation = self.adaptation(theta, tasks)
        count = max(tasks.horizon, self.answer_step(Meta({}, {})))
        inner = adaptation.steps(tasks, count)
        return predictions(tasks, adaptation.start, inner, adaptation.through)

    def adapted_loss(
        self, order: int, statistics: list[BatchStatistics] | None = None
    ) -> TaskLoss:
        """Return what gives the queries' loss after the inner steps of training.

        Args:
            order: Of the inner gradients, as in `inner_steps`.
            statistics: Where the net's statistics are noted, if it keeps them.
        """

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            adaptation = self.adaptation(theta, batch)
            *_, last = adaptation.steps(
                batch, self.inner_steps, order=order, statistics=statistics
            )
            through, weights = adaptation.through, last.weights
            return query_loss(
                batch, through(weights) if through else weights, last.step, statistics
            )

        return task_loss

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why its head cannot answer so many ways; None if it can."""
        assert isinstance(tasks, EpisodeBatch)
        return why_wrong_head(meta, tasks)
