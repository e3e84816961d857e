"""MAML's family: learners that differ in their initial weights and inner update rule.

They share a base class because they are one algorithm (draw initial weights, take inner
steps on the support, predict the queries) with one step left open: `adaptation`.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import (
    FewShotLearner,
    why_wrong_head,
)
from engine.algorithms.few_shot.inner_loop import (
    InnerState,
    WeightTransform,
    inner_steps,
    predictions,
    query_loss,
)
from engine.algorithms.few_shot.inner_rule_checks import (
    refuse_adaptation,
    with_checks,
)
from engine.algorithms.few_shot.inner_rules import InnerRule
from engine.algorithms.few_shot.knobs import (
    inner_clip_knob,
    inner_rate_knob,
    inner_steps_knob,
    inner_test_steps_knob,
)
from engine.algorithms.few_shot.outer_gradient import TaskLoss
from engine.algorithms.few_shot.running_statistics import BatchStatistics
from engine.algorithms.initial_weights import draw_weights
from engine.contract.rng import Rng
from engine.protocol import EpisodeBatch, Meta, Prediction, TaskBatch, Weights


class Adaptation(NamedTuple):
    """The initial weights of every member's inner loop, and its update rule.

    Args:
        start: The net's weights before the first step; shape (member, …).
        rule: The update rule of the adapted weights.
        names: The weights that are adapted; by default all but buffers.
        through: Maps the adapted weights to those that the net runs with, if they
            differ.
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
        """Take inner steps; arguments and yields as of `inner_steps`."""
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
    """A learner that predicts with a net after some inner steps."""

    trains: ClassVar[bool] = True

    inner_lr: float = inner_rate_knob()
    inner_steps: int = inner_steps_knob()
    test_steps: int = inner_test_steps_knob()
    inner_clip: float = inner_clip_knob()

    @abstractmethod
    def adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Return the initial weights and the update rule of the inner loop.

        Args:
            theta: Meta-weights of each member; shape (member, …).
            tasks: The episodes.
        """

    def checked_adaptation(self, theta: Weights, tasks: EpisodeBatch) -> Adaptation:
        """Return `adaptation`, whose rule checks what it returns.

        Raises:
            Refused: If it is no `Adaptation`.
        """
        found: object = self.adaptation(theta, tasks)
        if not isinstance(found, Adaptation) or not callable(found.rule):
            raise refuse_adaptation(self.name, found)
        return found._replace(rule=with_checks(self.name, found.rule))

    def extra_weights(
        self, rngs: Sequence[Rng], start: Weights, tasks: EpisodeBatch
    ) -> Weights:
        """Return meta-weights besides the net's own, such as learned rates.

        Args:
            rngs: One stream per replicate.
            start: The net's initial weights; shape (replicate, …).
            tasks: Episodes, for the layout.

        Returns:
            Weights by name; shape (replicate, …) each.
        """
        return {}

    def answer_step(self, meta: Meta) -> int:
        """Return the number of inner steps at test."""
        return self.test_steps or self.inner_steps

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the initial weights, one net per replicate."""
        assert isinstance(tasks, EpisodeBatch)
        start = draw_weights(tasks.net, tasks.layout, rngs, tasks.support.x)
        return Meta(start | self.extra_weights(rngs, start, tasks), {})

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Predict after 0, 1, … inner steps."""
        adaptation = self.checked_adaptation(theta, tasks)
        # The curve goes on to the horizon, past the scored step.
        count = max(tasks.horizon, self.answer_step(Meta({}, {})))
        inner = adaptation.steps(tasks, count)
        return predictions(tasks, adaptation.start, inner, adaptation.through)

    def adapted_loss(
        self, order: int, statistics: list[BatchStatistics] | None = None
    ) -> TaskLoss:
        """Return the function that gives the query loss after training's inner steps.

        Args:
            order: Order of the inner gradients, as in `inner_steps`.
            statistics: A list that collects the net's batch statistics.
        """

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            adaptation = self.checked_adaptation(theta, batch)
            *_, last = adaptation.steps(
                batch, self.inner_steps, order=order, statistics=statistics
            )
            through, weights = adaptation.through, last.weights
            return query_loss(
                batch, through(weights) if through else weights, last.step, statistics
            )

        return task_loss

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why its head does not fit the ways; None if it does."""
        assert isinstance(tasks, EpisodeBatch)
        return why_wrong_head(meta, tasks)
