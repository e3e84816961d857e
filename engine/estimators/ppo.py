"""PPO: reuse each batch of rollouts, but keep the policy close to the one that made it.

Source: Schulman et al. (2017), arXiv:1707.06347, equation 7 and algorithm 1.
Differs: every epoch uses the whole batch; advantages and rewards are those of the
policy gradient. It updates the meta-weights by its own Adam, at 0.02 by default (0.0003
in the paper), not by the outer rule.
Helps: learns more from the same runs than the plain policy gradient.
"""

from typing import ClassVar

import torch
from torch import Tensor

from engine.algorithms.rl.policy_estimator import (
    PolicyEstimator,
    RolloutBatch,
    branch,
    join_branches,
    policy_loss,
    replicate_gradients,
    require_policy,
)
from engine.algorithms.rl.returns import entropy, gaussian_kl, log_density
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.outers.adam import Adam
from engine.protocol import (
    Meta,
    Outer,
    OuterStepContext,
    PolicyProblem,
    UnrollableProblem,
    Weights,
)


@register("estimator")
class Ppo(PolicyEstimator):
    """θ ← argmax mean of min(ρ Â, clip(ρ, 1 ± ε) Â), ρ = π_θ / π_old, a few steps."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"optimization"})

    epochs: int = knob(
        4,
        label="Epochs",
        unit="per outer step",
        low=1,
        high=64,
        work="train_passes",
        help="Updates per batch of rollouts.",
    )
    clip: float = knob(
        0.2,
        label="Ratio clip ε",
        low=0.01,
        high=10.0,
        help="Bound on the change of an action's probability per batch: 1 ± ε.",
    )
    lr: float = knob(
        0.02,
        label="Policy learning rate",
        unit="per epoch",
        low=1e-5,
        high=1.0,
        log=True,
        help="Learning rate of Adam for the meta-weights; the outer rule is not used.",
    )

    @property
    def _policy_adam(self) -> Adam:
        return Adam(lr=self.lr, clip=1.0)

    def memory(self, weights: Weights, problem: UnrollableProblem) -> Weights:
        """Return the critic's memory and the moments of the policy's Adam."""
        moments = self._policy_adam.start(weights)
        return super().memory(weights, problem) | join_branches(policy_adam=moments)

    def estimate(
        self, meta: Meta, problem: UnrollableProblem, step_context: OuterStepContext
    ) -> Outer:
        """Explore, then maximize the clipped surrogate for several epochs."""
        world, memory = require_policy(problem), meta.memory
        found = self.run_rollouts(meta, problem, step_context)
        # π_old stays fixed while the epochs move θ.
        with torch.no_grad():
            old = world.policy(meta.weights, found.signals)
        theta, moments = dict(meta.weights), branch(memory, "policy_adam")
        for _ in range(self.epochs):
            grads = self.surrogate_gradient(theta, world, found, old)
            theta, moments = self._policy_adam.step(theta, grads, moments)
        with torch.no_grad():
            new = world.policy(theta, found.signals)
        info = found.info | {
            "entropy": entropy(old[1])[:, 0],
            "kl": gaussian_kl(old, new).mean(1),
        }
        memory = self.fit_value_function(memory, found) | join_branches(
            policy_adam=moments
        )
        return Outer(memory, info, weights=theta)

    def surrogate_gradient(
        self,
        theta: Weights,
        world: PolicyProblem,
        found: RolloutBatch,
        old: tuple[Tensor, Tensor],
    ) -> Weights:
        """Return the gradient of the clipped surrogate loss.

        Args:
            theta: Meta-weights to take it at; shape (replicate, …).
            world: The problem with the policy.
            found: The rollouts.
            old: Mean and log standard deviation of the policy that made the rollouts.
        """
        live = {k: v.detach().requires_grad_() for k, v in theta.items()}
        mean, log_std = world.policy(live, found.signals)
        change = log_density(found.action, mean, log_std)
        change = change - log_density(found.action, *old)
        # Clamped before exp, so that a far policy gives no ∞ (and ∞ · 0 no NaN).
        ratio = change.clamp(-20, 20).exp()
        held = ratio.clamp(1 - self.clip, 1 + self.clip)
        # The pessimistic of the two: the smaller ratio if the advantage is positive.
        worse = torch.where(found.credit > 0, ratio.minimum(held), ratio.maximum(held))
        loss = policy_loss(worse, found.credit, log_std, self.entropy)
        return replicate_gradients(loss, live)
