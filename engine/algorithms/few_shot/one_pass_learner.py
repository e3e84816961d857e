"""Base class of learners that answer in one pass, without inner steps.

They are one algorithm (answer the queries, differentiate their loss through the answer)
with one step left open: `outputs`.
"""

from abc import abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from torch import Tensor

from engine.algorithms.few_shot.few_shot_learner import FewShotLearner
from engine.algorithms.few_shot.outer_gradient import outer_gradient
from engine.protocol import (
    EpisodeBatch,
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    Prediction,
    TaskBatch,
    Weights,
)


class OnePassLearner(FewShotLearner):
    """A learner whose outputs for the queries are a function of the support.

    Attributes:
        weights_per_member: Whether `outputs` takes each member's weights in
            meta-training, or each replicate's, which is faster over many steps.
    """

    trains: ClassVar[bool] = True
    weights_per_member: ClassVar[bool] = True

    @abstractmethod
    def outputs(self, theta: Weights, tasks: EpisodeBatch) -> Tensor:
        """Answer the queries.

        Args:
            theta: Meta-weights of each member, (member, …), or of each group of
                consecutive members where `weights_per_member` is off.
            tasks: The episodes.

        Returns:
            Shape (member, output, query).
        """

    def predict(self, theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        """Answer the queries, without adaptation."""
        yield Prediction(0, self.outputs(theta, tasks))

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Differentiate the query loss."""

        def task_loss(theta: Weights, batch: EpisodeBatch) -> Tensor:
            return batch.each_loss(self.outputs(theta, batch), batch.query.y).mean(1)

        return outer_gradient(
            meta,
            tasks,
            task_loss,
            step_context.compile_gradient,
            per_member=self.weights_per_member,
        )
