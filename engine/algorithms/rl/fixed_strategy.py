"""Base class of agents that learn nothing from other tasks."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar

from engine.algorithms.rl.rollouts import Agent, Rollout, play_trial
from engine.algorithms.rl.trial_learner import TrialLearner
from engine.contract.errors import Refused
from engine.contract.learner_appearance import name_in_words
from engine.contract.rng import Rng
from engine.protocol import (
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    TrialBatch,
    Weights,
)


class FixedStrategy(TrialLearner):
    """Base class: a subclass gives the agent, which keeps a memory over the trial."""

    trains: ClassVar[bool] = False
    uses_net: ClassVar[bool] = False

    @abstractmethod
    def agent(self, tasks: TrialBatch) -> Agent:
        """Return the agent that plays these tasks."""

    def play(self, weights: Weights, tasks: TrialBatch) -> Iterator[Rollout]:
        """Play the trial.

        Raises:
            Refused: If it cannot play these tasks; a shift that it cannot play is left
                out before.
        """
        self.refuse_others(tasks)
        yield play_trial(tasks, self.agent(tasks))

    def refuse_others(self, tasks: TrialBatch) -> None:
        """Raise an error if it cannot play these tasks.

        Raises:
            Refused: With the reason.
        """
        if reason := self.why_not(Meta({}, {}), tasks):
            raise Refused(
                f"{name_in_words(self.name)} cannot play: {reason}", "learners"
            )

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Return empty meta-weights."""
        return Meta({}, {})

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the meta-weights unchanged."""
        return Outer(meta.memory, {}, weights=meta.weights)
