"""Base class of policy-gradient estimators: rollouts and a learned value function.

The value function (critic) belongs to the estimator, not to the meta-learner: it is
stored in the memory, has its own Adam, and is discarded when training ends.
"""

from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from engine.algorithms.advantages import advantages
from engine.algorithms.rl.policies import part_of
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
    """Signals, actions and advantages of one batch of rollouts.

    Args:
        signals: What the policy saw; shape (replicate, signal, item), with one item per
            rollout × task × step × layer.
        action: The sampled actions; shape (replicate, item).
        credit: Normalized advantage of each action; shape (replicate, item).
        returns: Targets of the value function; shape (replicate, visit), with one visit
            per rollout × task × step.
        info: Metrics of the training curve; shape (replicate,) each.
    """

    signals: Tensor
    action: Tensor
    credit: Tensor
    returns: Tensor
    info: Weights


class PolicyEstimator(Estimator):
    """Base class: exploration by rollouts, and advantages by a value function."""

    needs_policy: ClassVar[bool] = True

    rollouts: int = knob(
        4,
        label="Rollouts",
        unit="per task",
        low=1,
        high=64,
        work="members",
        help="Noisy runs of each task; their mean return is the task's baseline.",
    )
    discount: float = knob(
        0.95,
        label="Discount γ",
        unit="per step",
        low=0.0,
        high=1.0,
        help="Discount per step; 1 is undiscounted.",
    )
    trace: float = knob(
        0.95,
        label="Trace λ",
        unit="per step",
        low=0.0,
        high=1.0,
        help="λ of generalized advantage estimation: 0 relies on the value function, "
        "1 on the rewards.",
    )
    entropy: float = knob(
        0.01,
        label="Entropy bonus",
        unit="per nat",
        low=0.0,
        high=1.0,
        help="Weight of the policy's entropy in the objective; larger explores longer.",
    )
    value_lr: float = knob(
        0.02,
        label="Value learning rate",
        unit="per step",
        low=1e-5,
        high=1.0,
        log=True,
        advanced=True,
        help="Learning rate of the value function's Adam.",
    )
    value_steps: int = knob(
        8,
        label="Value steps",
        unit="steps",
        low=0,
        high=64,
        advanced=True,
        work="train_steps",
        help="Gradient steps of the value function per outer step; 0 disables it.",
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
        """Return the horizon: returns are known only at the end of a run."""
        return horizon

    def cost(self, horizon: int) -> float:
        """Return task evaluations: every rollout runs to the horizon."""
        return float(self.rollouts)

    def memory(self, weights: Weights, problem: UnrollableProblem) -> Weights:
        """Return the initial value function and the moments of its Adam."""
        sizes = (require_policy(problem).inputs, self.value_hidden, 1)
        net = init_dense(sizes, Rng(0).child("critic"))
        like = next(iter(weights.values()))
        # All replicates start from one critic, which predicts 0.
        critic = stack_members([net] * like.shape[0])
        critic = {name: value.to(like) for name, value in critic.items()}
        return join_branches(critic=critic, critic_adam=self._critic_adam.start(critic))

    @property
    def _critic_adam(self) -> Adam:
        return Adam(lr=self.value_lr, clip=0.0)

    def run_rollouts(
        self, meta: Meta, problem: UnrollableProblem, step_context: OuterStepContext
    ) -> RolloutBatch:
        """Run every task several times with noise and compute advantages.

        Args:
            meta: The meta-weights, and the memory with the value function.
            problem: A problem with a policy.
            step_context: Gives the streams of the noise.

        Raises:
            Refused: If the problem has no policy; choose another estimator.
        """
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
        # TD(λ) returns: advantages were the returns less the values.
        returns = worth + values
        info = {
            "meta_loss": after.reshape(shape).mean((1, 2, 3)),
            "return": gain.sum(3).mean((1, 2)),
            "value_loss": (values - returns).square().mean((1, 2, 3)),
            "explained_variance": explained_variance(values, returns),
        }
        # The layers of one step share its advantage: the loss is that of the whole net.
        credit = normalize_advantages(worth).flatten(1).repeat_interleave(layers, 1)
        return RolloutBatch(seen.flatten(2), action, credit, returns.flatten(1), info)

    @torch.no_grad()
    def predict_values(self, memory: Weights, seen: Tensor, layers: int) -> Tensor:
        """Return the value of each visit; shape (replicate, visit).

        Args:
            memory: Holds the value function.
            seen: Signals; shape (replicate, signal, item).
            layers: Number of layers, that is of items per visit.
        """
        return _mean_values(branch(memory, "critic"), seen, layers)

    def fit_value_function(self, memory: Weights, found: RolloutBatch) -> Weights:
        """Fit the value function to the returns.

        Args:
            memory: Holds the value function and its moments.
            found: The rollouts, with signals and returns.

        Returns:
            The memory with the new value function and moments.
        """
        critic, moments = branch(memory, "critic"), branch(memory, "critic_adam")
        layers = found.action.shape[1] // found.returns.shape[1]
        for _ in range(self.value_steps):
            live = {k: v.detach().requires_grad_() for k, v in critic.items()}
            error = _mean_values(live, found.signals, layers) - found.returns
            # Summed over replicates, so that each has its own gradient.
            loss = error.square().mean(1).sum()
            grads = torch.autograd.grad(loss, list(live.values()))
            named = dict(zip(live, grads, strict=True))
            critic, moments = self._critic_adam.step(critic, named, moments)
        return memory | join_branches(critic=critic, critic_adam=moments)


def require_policy(problem: UnrollableProblem) -> PolicyProblem:
    """Return the problem, checked to have a policy.

    Raises:
        Refused: If it has none; choose another learner or estimator.
    """
    if not isinstance(problem, PolicyProblem):
        raise Refused("this learner has no policy to explore with", "estimator")
    return problem


def policy_loss(
    density: Tensor, credit: Tensor, log_std: Tensor, bonus: float
) -> Tensor:
    """Return −mean(credit × density) − bonus × entropy.

    Args:
        density: Log density of each action, or its surrogate; shape (replicate, item).
        credit: Its normalized advantage; shape (replicate, item).
        log_std: Log standard deviation of the policy; shape (replicate, 1).
        bonus: Weight of the entropy, per nat.

    Returns:
        Shape (replicate,).
    """
    return -(density * credit).mean(1) - bonus * entropy(log_std)[:, 0]


def replicate_gradients(loss: Tensor, theta: Weights) -> Weights:
    """Return each replicate's gradient; zero for weights that the loss ignores.

    Args:
        loss: Loss of each replicate; shape (replicate,).
        theta: The weights, which require gradients; shape (replicate, …).
    """
    found = torch.autograd.grad(loss.sum(), list(theta.values()), allow_unused=True)
    return {
        name: torch.zeros_like(value) if grad is None else grad
        for (name, value), grad in zip(theta.items(), found, strict=True)
    }


def _mean_values(critic: Weights, seen: Tensor, layers: int) -> Tensor:
    """Return values averaged over layers; shape (replicate, visit)."""
    return apply_dense(critic, seen)[:, 0].unflatten(1, (-1, layers)).mean(2)


def branch(memory: Weights, head: str) -> Weights:
    """Return one named group of the memory's tensors, without the prefix."""
    return part_of(memory, f"{head}.")


def join_branches(**trees: Weights) -> Weights:
    """Join named groups of tensors into one dict, with their names as prefixes."""
    return {f"{h}.{k}": v for h, tree in trees.items() for k, v in tree.items()}
