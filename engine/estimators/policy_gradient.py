"""Policy gradient: try noisy actions, and make those that lowered the loss likelier.

Source: Williams (1992), REINFORCE; Schulman et al. (2016), arXiv:1506.02438, for
the advantages; Mnih et al. (2016), arXiv:1602.01783, for the entropy bonus.
Differs: an action's reward is the decrease of the log loss that it caused; advantages
are normalized per task, against other rollouts of the same task.
Helps: needs no gradient of the inner training, so chaotic training hurts it less; needs
more runs than an unroll.
"""

from typing import ClassVar

from engine.algorithms.rl.policy_estimator import (
    PolicyEstimator,
    policy_loss,
    replicate_gradients,
    require_policy,
)
from engine.algorithms.rl.returns import entropy, log_density
from engine.contract.registry import register
from engine.protocol import Meta, Outer, OuterStepContext, UnrollableProblem


@register("estimator")
class PolicyGradient(PolicyEstimator):
    """ĝ = −mean over actions of Â ∇_θ ln π_θ(a | signals) − β ∇_θ H(π_θ)."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    def estimate(
        self, meta: Meta, problem: UnrollableProblem, step_context: OuterStepContext
    ) -> Outer:
        """Explore, weight each action's score by its advantage, fit the critic."""
        memory = meta.memory
        found = self.run_rollouts(meta, problem, step_context)
        theta = {k: v.detach().requires_grad_() for k, v in meta.weights.items()}
        mean, log_std = require_policy(problem).policy(theta, found.signals)
        density = log_density(found.action, mean, log_std)
        loss = policy_loss(density, found.credit, log_std, self.entropy)
        info = found.info | {"entropy": entropy(log_std.detach())[:, 0]}
        return Outer(
            self.fit_value_function(memory, found),
            info,
            replicate_gradients(loss, theta),
        )
