"""Reptile for policies: move the start toward the policies that tasks lead to.

Source: Nichol, Achiam and Schulman (2018), arXiv:1803.02999, algorithm 2 (batched).
Differs: the paper has no policies; here an inner step is a policy gradient of the next
K episodes, and the last one takes all that are left of the trial. The outer rule is a
choice of the run and treats the negative displacement as a gradient.
Helps: no second derivatives; with one step it is multi-task training.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.rl.gradient_agent import (
    RATE,
    GradientAgent,
    PolicyUpdate,
    play_and_update,
    trial_parts,
)
from engine.algorithms.rl.inner_updates import descend, policy_names
from engine.algorithms.rl.rollouts import Rollout
from engine.algorithms.rl.trial_gradients import (
    Displacement,
    policy_gain,
    training_info,
    trial_displacement,
)
from engine.contract.registry import register
from engine.protocol import (
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    TrialBatch,
    Weights,
)


@register("learner")
class ReptileRl(GradientAgent):
    """θ ← θ + β mean over tasks of (φ_k − θ), φ_{i+1} = φ_i + α ∇J(φ_i; D_i)."""

    version: ClassVar[int] = 2
    short: ClassVar[str] = "Reptile-RL"
    hue: ClassVar[str] = "green"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = True

    def policy_update(self, weights: Weights, tasks: TrialBatch) -> PolicyUpdate:
        """Return one step of gradient ascent on the return."""
        names = policy_names(weights)

        def update(now: Weights, part: Rollout) -> Weights:
            credit = self.credit(part)

            def loss(theta: Weights) -> Tensor:
                return -policy_gain(theta, part, tasks, credit)

            return descend(now, loss, names, weights[RATE], order=1)

        return update

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the mean of θ − φ_k in place of a gradient."""
        assert isinstance(tasks, TrialBatch)
        return trial_displacement(meta, tasks, self._displacement)

    def _displacement(self, theta: Weights, tasks: TrialBatch) -> Displacement:
        """Return θ − φ after a step from every part of the trial."""
        update = self.policy_update(theta, tasks)
        parts = trial_parts(tasks.horizon, self.episodes, self.updates)
        played = list(play_and_update(tasks, theta, parts, update))
        weights, last = played[-1]
        end = update(weights, last)
        moved = {name: theta[name] - end[name] for name in theta}
        return Displacement(moved, training_info([part for _, part in played]))
