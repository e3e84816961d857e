"""Base class of agents that adapt by gradient while they play a trial.

A trial is cut into parts: K episodes, an update from them, K more, and so on; after the
last update the rest is played. The episodes of a part lie side by side, in lanes.
"""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from torch import Tensor

from engine.algorithms.rl.actor_critic import Credit, assign_credit
from engine.algorithms.rl.chunked_update import PolicyUpdate, update_in_chunks
from engine.algorithms.rl.feature_baseline import feature_values
from engine.algorithms.rl.memoryless_agent import MemorylessAgent
from engine.algorithms.rl.policies import POLICY, PolicyAndValue
from engine.algorithms.rl.rollouts import Rollout, first_sight, play
from engine.algorithms.rl.trial_learner import TrialLearner
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.protocol import Meta, TaskBatch, TrialBatch, Weights
from engine.protocol.member_chunks import broadcast_to_members

RATE = "lr"  # the meta-weight that tuning sets and no gradient moves


class GradientAgent(TrialLearner):
    """Base class: a subclass gives the update."""

    tunable: ClassVar[bool] = True

    episodes: int = knob(
        5,
        label="Episodes per update K",
        unit="episodes",
        low=1,
        high=1000,
        help="Episodes that are played before each update, all with one policy.",
    )
    updates: int = knob(
        1,
        label="Updates",
        unit="updates",
        low=0,
        high=1000,
        work="steps",
        help="Most updates in a trial; then the policy stays. 0 never updates.",
    )
    lr: float = knob(
        0.1,
        label="Inner step size α",
        unit="per update",
        low=1e-6,
        high=100.0,
        log=True,
        help="Size of an update within a trial, unless it is tuned.",
    )
    tuning: Literal["given", "tuned"] = knob(
        "tuned",
        label="Step size at test",
        help="Given: as set above. Tuned: the best on validation trials, chosen after "
        "training.",
    )
    discount: float = knob(
        0.99,
        label="Discount γ",
        unit="per step",
        low=0.0,
        high=1.0,
        help="Discount within an episode; 1 is undiscounted.",
    )
    trace: float = knob(
        1.0,
        label="Trace λ",
        unit="per step",
        low=0.0,
        high=1.0,
        help="λ of generalized advantage estimation: 0 relies on the value function, "
        "1 on the rewards.",
        advanced=True,
    )

    @abstractmethod
    def policy_update(self, weights: Weights, tasks: TrialBatch) -> PolicyUpdate:
        """Return the update, which may keep a state from one part to the next.

        Args:
            weights: At the start of the trial; shape (member, …).
            tasks: The tasks.
        """

    def starts(self, weights: Weights, tasks: TrialBatch) -> Weights:
        """Return each member's weights at the start of its trial: the meta-weights."""
        return broadcast_to_members(weights, tasks.members)

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the policy net, and note the step size; shape (replicate, …)."""
        assert isinstance(tasks, TrialBatch)
        like = tasks.action_noise
        drawn = nets_of(tasks).init(rngs, like)
        weights = {n: w for n, w in drawn.items() if n.startswith(POLICY)}
        return Meta(weights | {RATE: like.new_full((len(rngs),), self.lr)}, {})

    def play(self, weights: Weights, tasks: TrialBatch) -> Iterator[Rollout]:
        """Play the trial, with updates between its parts."""
        own = self.starts(weights, tasks)
        update = self.chunked_update(own, tasks)
        parts = trial_parts(tasks.horizon, self.episodes, self.updates)
        for _, part in play_and_update(tasks, own, parts, update):
            yield part

    def chunked_update(self, own: Weights, tasks: TrialBatch) -> PolicyUpdate:
        """Return the update of weights without a graph, some members at a time."""
        steps = self.episodes * tasks.steps
        return update_in_chunks(self.policy_update, own, tasks, steps)

    def credit(self, part: Rollout) -> Credit:
        """Return what each step was worth, by a linear feature baseline."""
        value = feature_values(part, self.discount)
        return assign_credit(part.reward, value, part.alive, self.discount, self.trace)


def nets_of(tasks: TrialBatch) -> PolicyAndValue:
    """Return the nets of an agent that sees the observation alone."""
    world = tasks.environment
    return PolicyAndValue(tasks.net, world.actions, world.observation)


def draw_fresh_weights(nets: PolicyAndValue, tasks: TrialBatch) -> Weights:
    """Draw nets for each task, the same for all learners; shape (member, …)."""
    streams = [stream.child("fresh") for stream in tasks.streams]
    return nets.init(streams, tasks.action_noise)


def trial_parts(horizon: int, episodes: int, updates: int) -> list[range]:
    """Cut a trial into parts, between which the policy is updated.

    Args:
        horizon: Episodes in the trial.
        episodes: Episodes before each update.
        updates: Most updates.

    >>> trial_parts(7, 2, 2)
    [range(0, 2), range(2, 4), range(4, 7)]
    >>> trial_parts(4, 2, 9)
    [range(0, 2), range(2, 4)]
    """
    cuts = [n * episodes for n in range(updates + 1) if n * episodes < horizon]
    ends = [*cuts[1:], horizon]
    return [range(first, end) for first, end in zip(cuts, ends, strict=True)]


def play_and_update(
    tasks: TrialBatch, weights: Weights, parts: Sequence[range], update: PolicyUpdate
) -> Iterator[tuple[Weights, Rollout]]:
    """Yield each part, with the weights that played it; update between parts.

    Args:
        tasks: The tasks.
        weights: Of each member's policy; shape (member, …). They may have a graph.
        parts: From `trial_parts`.
        update: Weights and the part that they played → new weights.
    """
    for number, episodes in enumerate(parts):
        yield weights, (part := play_part(tasks, weights, episodes))
        if number + 1 < len(parts):
            weights = update(weights, part)


def play_part(tasks: TrialBatch, weights: Weights, episodes: range) -> Rollout:
    """Play episodes side by side, each member with its own weights."""
    agent = MemorylessAgent(nets_of(tasks), weights)
    seen = first_sight(tasks, len(episodes))
    memory = agent.start(tasks.members, len(episodes))
    return play(tasks, agent, memory, seen, episodes).rollout


def log_probs(weights: Weights, part: Rollout, tasks: TrialBatch) -> Tensor:
    """Return the log probability of each action; shape (member, episode, step)."""
    policy = nets_of(tasks).distribution(weights, part.observation.flatten(1, 2))
    return policy.log_prob(part.action.flatten(1, 2)).view_as(part.reward)


def log_probs_and_entropy(
    weights: Weights, part: Rollout, tasks: TrialBatch
) -> tuple[Tensor, Tensor]:
    """Return log probabilities, and the policy's mean entropy, in one run of the net.

    Returns:
        Shape (member, episode, step); and (member,), both with a graph.
    """
    policy = nets_of(tasks).distribution(weights, part.observation.flatten(1, 2))
    logs = policy.log_prob(part.action.flatten(1, 2)).view_as(part.reward)
    alive = part.alive.flatten(1).to(part.reward)
    entropy = (policy.entropy() * alive).sum(1) / alive.sum(1).clamp(min=1.0)
    return logs, entropy
