"""Base class of agents with a memory: they learn within a trial by activations alone.

Source: Duan et al. (2016), arXiv:1611.02779, and Wang et al. (2016), arXiv:1611.05763,
for the inputs and for trials as the unit of training; Mnih et al. (2016),
arXiv:1602.01783, and Schulman et al. (2017), arXiv:1707.06347, for the updates.
"""

import math
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from engine.algorithms.rl.actor_critic import Credit, mean_alive, value_loss
from engine.algorithms.rl.memory_agent import MemoryAgent, MemoryNet, MemoryPolicy
from engine.algorithms.rl.policy_estimator import (
    branch,
    join_branches,
    replicate_gradients,
)
from engine.algorithms.rl.returns import discounted_count, explained_variance
from engine.algorithms.rl.rollouts import (
    Rollout,
    first_sight,
    play_episodes,
    play_trial,
)
from engine.algorithms.rl.sequence_updates import (
    Evaluated,
    Objective,
    credit_of,
    evaluate,
    loss_of,
    part_of_credit,
    return_size,
)
from engine.algorithms.rl.trial_learner import TrialLearner, ValueMaps
from engine.algorithms.rl.trial_sequences import (
    TrialSequence,
    input_size,
    make_sequence,
)
from engine.contract.parts import knob
from engine.contract.rng import Rng
from engine.outers.adam import Adam
from engine.protocol import (
    Estimator,
    Meta,
    Outer,
    OuterStepContext,
    TaskBatch,
    TrialBatch,
    Weights,
)


class MemoryLearner(TrialLearner):
    """Base class: a subclass gives the net that reads a trial."""

    uses_net: ClassVar[bool] = False

    update: Literal["a2c", "ppo"] = knob(
        "ppo",
        label="Update",
        help="a2c: one gradient per batch of trials, by the run's outer rule. ppo: "
        "several clipped updates per batch, by an Adam of its own.",
    )
    epochs: int = knob(
        4,
        label="PPO: epochs",
        unit="per meta-step",
        low=1,
        high=64,
        work="train_passes",
        help="Passes over each batch of trials.",
    )
    pieces: int = knob(
        4,
        label="PPO: minibatches",
        unit="per epoch",
        low=1,
        high=64,
        help="Updates per pass, each on its own share of the trials.",
    )
    clip: float = knob(
        0.2,
        label="PPO: ratio clip ε",
        low=0.01,
        high=10.0,
        help="Bound on the change of an action's probability per batch: 1 ± ε.",
    )
    lr: float = knob(
        0.003,
        label="PPO: learning rate",
        unit="per update",
        low=1e-6,
        high=1.0,
        log=True,
        help="Learning rate of PPO's Adam; A2C has that of the outer rule.",
    )
    discount: float = knob(
        1.0,
        label="Discount γ",
        unit="per step",
        low=0.0,
        high=1.0,
        help="Over the steps of the whole trial; below 1, exploring pays less.",
    )
    trace: float = knob(
        0.9,
        label="Trace λ",
        unit="per step",
        low=0.0,
        high=1.0,
        help="λ of generalized advantage estimation: 0 relies on the value function, "
        "1 on the rewards.",
    )
    entropy: float = knob(
        0.03,
        label="Entropy bonus",
        unit="per nat",
        low=0.0,
        high=1.0,
        help="Weight of the policy's entropy at the start; it falls linearly to 0.",
    )
    value_weight: float = knob(
        0.5,
        label="Value weight",
        low=0.0,
        high=100.0,
        advanced=True,
        help="Weight of the value function's squared error in the loss.",
    )

    @abstractmethod
    def memory_net(self, inputs: int, tasks: TrialBatch) -> MemoryNet:
        """Return the net that reads a trial.

        Args:
            inputs: Numbers that an agent sees at each step.
            tasks: The tasks, for the length of trials.
        """

    def policy(self, tasks: TrialBatch) -> MemoryPolicy:
        """Return the policy over the net's features."""
        net = self.memory_net(input_size(tasks), tasks)
        return MemoryPolicy(net, tasks.environment.actions)

    def init(self, rngs: Sequence[Rng], tasks: TaskBatch) -> Meta:
        """Draw the net, the policy and the value function."""
        assert isinstance(tasks, TrialBatch)
        weights = self.policy(tasks).init(rngs, tasks.action_noise)
        moments = self._adam.start(weights) if self.update == "ppo" else {}
        return Meta(weights, join_branches(adam=moments))

    @property
    def _adam(self) -> Adam:
        return Adam(lr=self.lr, clip=1.0)

    def play(self, weights: Weights, tasks: TrialBatch) -> Iterator[Rollout]:
        """Play the trial; the weights stay as they are."""
        yield play_trial(tasks, MemoryAgent(self.policy(tasks), weights))

    @torch.no_grad()
    def value_maps(
        self, weights: Weights, tasks: TrialBatch, seen: Tensor
    ) -> ValueMaps | None:
        """Return what it expects of the rest of the trial, per step that is left."""
        agent = MemoryAgent(self.policy(tasks), weights)
        start = agent.start(tasks.members, 1), first_sight(tasks, 1)
        played = list(play_episodes(tasks, agent))
        late = (played[-2].memory, played[-2].seen) if len(played) > 1 else start
        reward = torch.cat([each.rollout.reward for each in played], 1).flatten(1)
        # The unit of its values is the size of returns.
        size = return_size(reward.unflatten(0, (tasks.replicates, -1)))
        size = size.repeat_interleave(tasks.members // tasks.replicates).unsqueeze(1)
        first, last = (
            size * agent.values(*now, seen) / discounted_count(left, self.discount)
            for now, left in ((start, reward.shape[1]), (late, tasks.steps))
        )
        return ValueMaps(first, last)

    def outer(
        self,
        meta: Meta,
        tasks: TaskBatch,
        step_context: OuterStepContext,
        estimator: Estimator,
    ) -> Outer:
        """Play a trial of every task, then improve the policy on what was seen."""
        assert isinstance(tasks, TrialBatch)
        policy, groups = self.policy(tasks), tasks.replicates
        played = play_trial(tasks, MemoryAgent(policy, meta.weights))
        sequence = make_sequence(tasks, played, groups)
        objective = Objective(
            self.clip if self.update == "ppo" else math.inf,
            self.value_weight,
            self.entropy * (1 - step_context.share_done),
        )
        if self.update == "ppo":
            return self._take_epochs(policy, meta, sequence, objective)
        live = {k: v.detach().requires_grad_() for k, v in meta.weights.items()}
        now = evaluate(policy, live, sequence)
        credit = credit_of(sequence, now.value.detach(), self.discount, self.trace)
        loss = loss_of(now, now.log_prob.detach(), credit, objective)
        grads = replicate_gradients(loss, live)
        return Outer(meta.memory, training_metrics(sequence, now, credit), grads=grads)

    def _take_epochs(
        self,
        policy: MemoryPolicy,
        meta: Meta,
        sequence: TrialSequence,
        objective: Objective,
    ) -> Outer:
        """Take PPO's updates: passes over the trials, piece by piece."""
        trials = sequence.reward.shape[1]
        pieces = cut_evenly(trials, self.pieces)
        with torch.no_grad():
            # Piece by piece, as all trials at once take more memory than an update.
            seen = [evaluate(policy, meta.weights, sequence.part(p)) for p in pieces]
        old = Evaluated(*(torch.cat(each, 1) for each in zip(*seen, strict=True)))
        credit = credit_of(sequence, old.value, self.discount, self.trace)
        theta, moments = dict(meta.weights), branch(meta.memory, "adam")
        for _ in range(self.epochs):
            for chosen in pieces:
                live = {k: v.detach().requires_grad_() for k, v in theta.items()}
                now = evaluate(policy, live, sequence.part(chosen))
                own = part_of_credit(credit, trials, chosen)
                loss = loss_of(now, old.log_prob[:, chosen], own, objective)
                grads = replicate_gradients(loss, live)
                theta, moments = self._adam.step(theta, grads, moments)
        info = training_metrics(sequence, old, credit)
        return Outer(join_branches(adam=moments), info, weights=theta)


def cut_evenly(count: int, pieces: int) -> list[slice]:
    """Return consecutive pieces of about equal size, none of them empty."""
    pieces = min(pieces, count)
    return [
        slice(i * count // pieces, (i + 1) * count // pieces) for i in range(pieces)
    ]


def training_metrics(
    sequence: TrialSequence, seen: Evaluated, credit: Credit
) -> Weights:
    """Return the metrics of the training curve; shape (group,) each."""
    _, entropy, value = (each.detach().flatten(1) for each in seen)
    counted = value * credit.alive
    return {
        "trial_reward": sequence.reward.sum(2).mean(1),
        "entropy": mean_alive(entropy, credit.alive),
        "value_loss": value_loss(value, credit),
        "explained_variance": explained_variance(counted, credit.target),
    }
