"""MAML-RL: a start from which one policy-gradient step fits a new task.

Source: Finn, Abbeel and Levine (2017), arXiv:1703.03400, algorithm 3 and section 5.3;
Foerster et al. (2018), arXiv:1802.05098 (DiCE), in the form of Farquhar, Whiteson and
Foerster (2019), arXiv:1909.10549; Rothfuss et al. (2019), arXiv:1810.06784, section 5
(low-variance curvature).
Differs: the outer step is an actor-critic gradient by the run's outer rule; the paper
uses TRPO. Advantages are normalized in every task. What is maximized is the return of
the episodes that are judged, so parts before the last update count as far as they are.
Helps: adapts from a few episodes without any memory; in a task unlike those of
training it is still a policy gradient, and can go on learning.
"""

from typing import ClassVar

from torch import Tensor

from engine.algorithms.rl.gradient_agent import (
    RATE,
    GradientAgent,
    PolicyUpdate,
    log_probs,
    trial_parts,
)
from engine.algorithms.rl.inner_updates import descend, policy_names
from engine.algorithms.rl.rollouts import Rollout
from engine.algorithms.rl.score_surrogates import Surrogate, score_surrogate
from engine.algorithms.rl.trial_gradients import (
    TrialLoss,
    judged_policy_loss,
    trial_gradient,
)
from engine.contract.parts import knob
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
class MamlRl(GradientAgent):
    """θ ← θ + β ∇_θ J(φ; D′), φ = θ + α ∇J(θ; D), D being played with θ, D′ with φ."""

    version: ClassVar[int] = 2
    short: ClassVar[str] = "MAML-RL"
    hue: ClassVar[str] = "blue"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    trains: ClassVar[bool] = True

    surrogate: Surrogate = knob(
        "curvature",
        label="Inner surrogate",
        help="What the outer gradient knows of the episodes before the update. "
        "Curvature and DiCE: that θ chose them, too. Log prob: that is ignored, as in "
        "the first code of MAML. First order: the whole inner gradient is constant.",
    )

    def policy_update(self, weights: Weights, tasks: TrialBatch) -> PolicyUpdate:
        """Return one step of gradient ascent on the return."""
        names = policy_names(weights)
        order = 1 if self.surrogate == "first_order" else 2

        def update(now: Weights, part: Rollout) -> Weights:
            credit, shape = self.credit(part), part.reward.shape

            def loss(theta: Weights) -> Tensor:
                return -score_surrogate(
                    log_probs(theta, part, tasks),
                    credit.advantage.view(shape),
                    credit.alive.view(shape),
                    self.surrogate,
                )

            return descend(now, loss, names, weights[RATE], order=order)

        return update

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Return the gradient of the return after adaptation."""
        assert isinstance(tasks, TrialBatch)
        parts = trial_parts(tasks.horizon, self.episodes, self.updates)

        def loss(theta: Weights, some: TrialBatch) -> TrialLoss:
            update = self.policy_update(theta, some)
            return judged_policy_loss(some, theta, parts, update, self.credit)

        return trial_gradient(meta, tasks, loss)
