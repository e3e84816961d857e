"""Acting: rollouts of a noisy policy, and a critic that says what was expected.

The critic belongs to the estimator, not to the meta-learner: it lives in the
memory, follows its own Adam, and is gone when training ends.
"""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from engine.algorithms.advantages import advantages
from engine.algorithms.rl.returns import (
    entropy,
    explained_variance,
    normalize_advantages,
    rewards,
)
from engine.contract.errors import Refused
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.nets.dense import apply_dense, init_dense, stack_members
from engine.outers.adam import Adam
from engine.protocol import (
    Estimator,
    Meta,
    OuterStepContext,
    PolicyProblem,
    UnrollableProblem,
    UnrollWindow,
    Weights,
)


class RolloutBatch(NamedTuple):
    """What a policy saw, did and got for it.

    Args:
        seen: Signals; shape (replicate, signal, item), an item being rollout ×
            task × step × layer.
        action: What was drawn; shape (replicate, item).
        credit: Normalized advantage of each action; shape (replicate, item).
        returns: What the critic should have said; shape (replicate, visit), a
            visit being rollout × task × step.
        info: Numbers of the training curve; shape (replicate,).
    """

    signals: Tensor
    action: Tensor
    credit: Tensor
    returns: Tensor
    info: Weights


class PolicyEstimator(Estimator):
    """What estimators of a policy share: how they explore, and what they expect."""

    needs_policy: ClassVar[bool] = True

    rollouts: int = knob(
        4,
        label="Rollouts",
        unit="per task",
        low=1,
        high=64,
        help="Noisy runs of each task; their mean is the task's own baseline.",
    )
    discount: float = knob(
        0.95,
        label="Discount γ",
        unit="per step",
        low=0.0,
        high=1.0,
        help="What a drop of the loss one step later counts; 1 sees the end alone.",
    )
    trace: float = knob(
        0.95,
        label="Trace λ",
        unit="per step",
        low=0.0,
        high=1.0,
        help="From trusting the value function (0) to trusting the rewards (1).",
    )
    entropy: float = knob(
        0.01,
        label="Entropy bonus",
        unit="per nat",
        low=0.0,
        high=1.0,
        help="Reward for staying undecided; more keeps exploring for longer.",
    )
    value_lr: float = knob(
        0.02,
        label="Value function's rate",
        unit="per step",
        low=1e-5,
        high=1.0,
        log=True,
        advanced=True,
        help="Adam's rate for the value function.",
    )
    value_steps: int = knob(
        8,
        label="Value steps",
        unit="steps",
        low=0,
        high=64,
        advanced=True,
        help="Steps of the value function per outer step; 0 expects nothing.",
    )
    value_hidden: int = knob(
        16,
        label="Value units",
        unit="units",
        low=1,
        high=128,
        advanced=True,
        help="Hidden units of the value function.",
    )

    def window_length(self, horizon: int) -> int:
        """Return the horizon: what an action is worth is known at the end."""
        return horizon

    def cost(self, horizon: int) -> float:
        """Return task evaluations: every rollout runs to the horizon."""
        return float(self.rollouts)

    def memory(self, weights: Weights, problem: UnrollableProblem) -> Weights:
        """Return a value function that expects nothing yet, and its moments."""
        sizes = (require_policy(problem).inputs, self.value_hidden, 1)
        net = init_dense(sizes, Rng(0).child("critic"))
        like = next(iter(weights.values()))
        critic = stack_members([net] * like.shape[0])
        critic = {name: value.to(like) for name, value in critic.items()}
        return join_branches(critic=critic, critic_adam=self._critic_adam.start(critic))

    @property
    def _critic_adam(self) -> Adam:
        return Adam(lr=self.value_lr, clip=0.0)

    def run_rollouts(
        self, meta: Meta, problem: UnrollableProblem, step_context: OuterStepContext
    ) -> RolloutBatch:
        """Run every task several times with noise, and credit the actions."""
        world = require_policy(problem)
        shape = (world.replicates, self.rollouts, world.tasks, world.horizon)
        theta = {
            name: value.repeat_interleave(self.rollouts, 0)
            for name, value in meta.weights.items()
        }
        span = UnrollWindow(0, world.horizon, self.rollouts, rngs=step_context.rngs)
        _, after, wrote = world.segment(theta, world.begin(self.rollouts), span)
        # replicate, signal, member, step, layer
        seen = wrote["seen"].unflatten(0, (world.replicates, -1)).permute(0, 3, 1, 2, 4)
        action = wrote["action"].reshape(world.replicates, -1)
        layers = seen.shape[-1]
        gain = rewards(wrote["before"], after).reshape(shape)
        values = self.predict_values(meta.memory, seen.flatten(2), layers).reshape(
            shape
        )
        worth = advantages(gain, values, self.discount, self.trace)
        returns = worth + values
        info = {
            "meta_loss": after.reshape(shape).mean((1, 2, 3)),
            "return": gain.sum(3).mean((1, 2)),
            "value_loss": (values - returns).square().mean((1, 2, 3)),
            "explained_variance": explained_variance(values, returns),
        }
        credit = normalize_advantages(worth).flatten(1).repeat_interleave(layers, 1)
        return RolloutBatch(seen.flatten(2), action, credit, returns.flatten(1), info)

    @torch.no_grad()
    def predict_values(self, memory: Weights, seen: Tensor, layers: int) -> Tensor:
        """Return what the value function says of each visit; (replicate, visit)."""
        return _mean_values(branch(memory, "critic"), seen, layers)

    def fit_value_function(self, memory: Weights, found: RolloutBatch) -> Weights:
        """Fit the value function to what came; return the new memory."""
        critic, moments = branch(memory, "critic"), branch(memory, "critic_adam")
        layers = found.action.shape[1] // found.returns.shape[1]
        for _ in range(self.value_steps):
            live = {k: v.detach().requires_grad_() for k, v in critic.items()}
            error = _mean_values(live, found.signals, layers) - found.returns
            loss = error.square().mean(1).sum()
            grads = torch.autograd.grad(loss, list(live.values()))
            named = dict(zip(live, grads, strict=True))
            critic, moments = self._critic_adam.step(critic, named, moments)
        return memory | join_branches(critic=critic, critic_adam=moments)


def require_policy(problem: UnrollableProblem) -> PolicyProblem:
    """Return the problem as one with a policy.

    Raises:
        Refused: If it has none.
    """
    if not isinstance(problem, PolicyProblem):
        raise Refused("this learner has no policy to explore with", "estimator")
    return problem


def policy_loss(
    density: Tensor, credit: Tensor, log_std: Tensor, bonus: float
) -> Tensor:
    """Return minus the mean of credit × density, less the entropy bonus; (replicate,).

    Args:
        density: Log density of each action, or what stands for it; (replicate, item).
        credit: Its normalized advantage; shape (replicate, item).
        log_std: Of the policy; shape (replicate, 1).
        bonus: What a nat of entropy is worth.
    """
    return -(density * credit).mean(1) - bonus * entropy(log_std)[:, 0]


def replicate_gradients(loss: Tensor, theta: Weights) -> Weights:
    """Return each replicate's gradient; weights that do not matter get zeros."""
    found = torch.autograd.grad(loss.sum(), list(theta.values()), allow_unused=True)
    return {
        name: torch.zeros_like(value) if grad is None else grad
        for (name, value), grad in zip(theta.items(), found, strict=True)
    }


def _mean_values(critic: Weights, seen: Tensor, layers: int) -> Tensor:
    """Return values, the mean over layers; (replicate, visit)."""
    return apply_dense(critic, seen)[:, 0].unflatten(1, (-1, layers)).mean(2)


def branch(memory: Weights, head: str) -> Weights:
    """Return one tree of the memory by its name."""
    cut = len(head) + 1
    return {k[cut:]: v for k, v in memory.items() if k.startswith(f"{head}.")}


def join_branches(**trees: Weights) -> Weights:
    """Put named trees into one."""
    return {f"{h}.{k}": v for h, tree in trees.items() for k, v in tree.items()}
