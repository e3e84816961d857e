"""Search by policy and value nets, shared by fresh and meta-trained ones."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from engine.algorithms.search.policy import softmax_policy
from engine.algorithms.search.policy.actor_critic import (
    PolicyBatch,
    PolicyGradients,
    UpdateSettings,
    compute_gradients,
    critic_explained_variance,
    marginal_probabilities,
    take_adam_step,
)
from engine.algorithms.search.policy.actor_critic_nets import (
    ActorCriticNets,
    select_live_nets,
)
from engine.algorithms.search.policy.replay import (
    ReplayEntry,
    ReplayMemory,
    ReplayMixin,
    sample_memory,
)
from engine.algorithms.search.policy.sequence_policy import (
    PolicyShape,
    draw_architectures,
)
from engine.algorithms.search.policy.softmax_policy import RunningReward
from engine.algorithms.search.search_loop import StepMetrics, run_search
from engine.contract.parts import knob
from engine.protocol import Evaluation, Proposal, SearchBatch, TraceSegment

WINDOW = 50  # evaluations that the explained variance is measured over
DRAWN = 64  # architectures drawn to display the policy


class PolicySearchState(NamedTuple):
    """State of a search; arrays lead with the member.

    `reward` and `values` are the last 50 rewards and the critic's values before each
    decision, predicted before it saw them; NaN where there is none yet.
    """

    nets: ActorCriticNets
    running: RunningReward
    memory: ReplayMemory
    reward: Float[np.ndarray, "member window"]
    values: Float[np.ndarray, "member window position"]


class PolicySearch(ReplayMixin):
    """A search strategy whose policy and value function are nets."""

    hidden: int = knob(
        32,
        label="Hidden units",
        low=1,
        high=256,
        work="size",
        help="Hidden units of the policy net and of the value net.",
    )
    trace: float = knob(
        0.95,
        label="Trace λ",
        low=0.0,
        high=1.0,
        help="λ of the generalized advantages: 0 credits a decision by the critic's "
        "next value, 1 by the reward itself.",
    )
    critic: float = knob(
        0.3,
        label="Critic's rate",
        unit="× the policy's",
        low=0.0,
        high=10.0,
        advanced=True,
        help="Learning rate of the value net; slower is less sensitive to single "
        "rewards.",
    )
    entropy: float = knob(
        0.3,
        label="Entropy weight c",
        low=0.0,
        high=10.0,
        help="Entropy regularization; larger explores longer.",
    )
    floor: float = knob(
        0.25,
        label="Entropy floor",
        unit="share of the maximum",
        low=0.0,
        high=0.99,
        help="Prevents collapse: below it the entropy weight rises. 0: no floor.",
    )
    replay: int = knob(
        4,
        label="Replays",
        unit="per evaluation",
        low=0,
        high=64,
        work="steps",
        help="Past evaluations replayed in each update; 0: none.",
    )
    updates: int = knob(
        1,
        label="Updates",
        unit="per evaluation",
        low=1,
        high=16,
        work="steps",
        help="Gradient steps of both nets on each evaluation and its replays.",
    )

    def update_context(
        self,
        tasks: SearchBatch,
        context: Float[np.ndarray, "row item feature"],
        rate: float,
    ) -> "UpdateContext":
        """Return what updates of the nets need besides the batch.

        Args:
            tasks: The searches.
            context: Task features; shape (row, item, feature).
            rate: Learning rate; 0 leaves the nets unchanged.
        """
        frame = PolicyShape(tasks.space.radix, context.shape[-1], self.hidden)
        aim = UpdateSettings(
            self.trace, self.entropy, self.floor, self.clip, rate, self.critic
        )
        return UpdateContext(frame, context, aim, np.zeros((len(context), 0)))

    def search(
        self,
        tasks: SearchBatch,
        nets: ActorCriticNets,
        learning: "UpdateContext",
        *,
        path: bool,
    ) -> Iterator[TraceSegment]:
        """Search with initial nets, one row per member.

        `entropy` is in nats: that of each decision given those before it, summed along
        the drawn architecture. Its mean is the policy's entropy, its maximum ln of the
        space's size.

        Args:
            tasks: One search per member.
            nets: Initial nets; one row per member.
            learning: From `update_context`.
            path: As `run_search` takes it.
        """
        frame, context = learning.frame, learning.context
        places = len(tasks.space.radix)
        uniform = tasks.uniform("search", tasks.horizon, places)
        again = tasks.uniform("replay", tasks.horizon, self.replay + 1)
        shown = tasks.uniform("shown", DRAWN, places) if path else None

        def ask(step: int, state: PolicySearchState) -> Proposal:
            drawn = uniform[:, step : step + 1]
            return Proposal(
                draw_architectures(frame, state.nets.policy, context, drawn)[0][:, 0]
            )

        def tell(
            state: PolicySearchState, evaluation: Evaluation
        ) -> tuple[PolicySearchState, StepMetrics]:
            now = learning._replace(uniform=again[:, evaluation.step])
            after, info = self._learn(state, evaluation, now)
            if shown is not None:
                info["policy"] = marginal_probabilities(
                    frame, state.nets, context, shown
                )
            return after, info

        yield from run_search(tasks, self.start(tasks, nets), ask, tell, path=path)

    def start(self, tasks: SearchBatch, nets: ActorCriticNets) -> PolicySearchState:
        """Return the state before the first evaluation."""
        none = np.full((tasks.members, WINDOW), np.nan)
        worth = np.repeat(none[..., None], len(tasks.space.radix), 2)
        begun = RunningReward.empty(tasks.members)
        return PolicySearchState(nets, begun, self.new_memory(tasks), none, worth)

    def _learn(
        self,
        state: PolicySearchState,
        evaluation: Evaluation,
        learning: "UpdateContext",
    ) -> tuple[PolicySearchState, StepMetrics]:
        live, reward = evaluation.live, np.maximum(evaluation.value, 0.0)
        running = state.running.update(reward, live)
        batch = self.build_batch(state, evaluation, running, learning)
        nets, first, chance = self.update_nets(state.nets, batch, learning)
        memory = state.memory
        if self.replay:
            kept = ReplayEntry(evaluation.codes, reward, chance[:, 0])
            memory = self.store_evaluation(memory, kept, learning.uniform[:, 0], live)
        expected = state.running.unstandardize(first.values[:, 0])
        after = PolicySearchState(
            select_live_nets(live, nets, state.nets),
            running,
            memory,
            _roll_window(state.reward, reward, live),
            _roll_window(state.values, expected, live),
        )
        return after, _search_metrics(after, first, expected, reward)

    def update_nets(
        self, nets: ActorCriticNets, batch: PolicyBatch, learning: "UpdateContext"
    ) -> tuple[ActorCriticNets, PolicyGradients, Float[np.ndarray, "row item"]]:
        """Update the nets with a batch.

        Args:
            nets: The nets; they are not changed.
            batch: Architectures to learn from.
            learning: From `update_context`.

        Returns:
            The updated nets, the gradients and outputs before the first step, and the
            log probability of each item when it was drawn, shape (row, item).
        """
        first = found = compute_gradients(
            learning.frame, nets, batch, learning.settings
        )
        now = softmax_policy.log_prob(first.prob, batch.codes)
        chance = np.where(np.isnan(batch.log_prob), now, batch.log_prob)
        batch = batch._replace(log_prob=chance)
        for update in range(self.updates):
            if update:
                found = compute_gradients(
                    learning.frame, nets, batch, learning.settings
                )
            nets = take_adam_step(nets, found, learning.settings)
        return nets, first, chance

    def build_batch(
        self,
        state: PolicySearchState,
        evaluation: Evaluation,
        running: RunningReward,
        learning: "UpdateContext",
    ) -> PolicyBatch:
        """Return this evaluation and its replays, in this order."""
        codes, reward = (
            evaluation.codes[:, None],
            np.maximum(evaluation.value, 0.0)[:, None],
        )
        chance = np.full(reward.shape, np.nan)
        # The first reward only sets the mean that later ones are compared with.
        counts = 1.0 * (evaluation.live & (state.running.count > 0))[:, None]
        if self.replay:
            past, there = sample_memory(state.memory, learning.uniform[:, 1:])
            codes = np.concatenate([codes, past.codes], 1)
            reward = np.concatenate([reward, past.value], 1)
            chance = np.concatenate([chance, past.log_prob], 1)
            counts = np.concatenate([counts, there], 1)
        context = np.repeat(learning.context, codes.shape[1], 1)
        return PolicyBatch(codes, context, running.standardize(reward), chance, counts)


class UpdateContext(NamedTuple):
    """What an update needs besides the batch.

    Args:
        frame: Sizes of the nets.
        context: Task features; shape (row, item, feature).
        settings: Hyperparameters.
        uniform: Uniform in [0, 1), for the memory; shape (row, 1 + replays).
    """

    frame: PolicyShape
    context: Float[np.ndarray, "row item feature"]
    settings: UpdateSettings
    uniform: Float[np.ndarray, "row draw"]


def _roll_window(
    window: Float[np.ndarray, "member window *position"],
    new: Float[np.ndarray, " member *position"],
    live: Bool[np.ndarray, " member"],
) -> Float[np.ndarray, "member window *position"]:
    after = np.concatenate([window[:, 1:], new[:, None]], 1)
    return np.where(live.reshape(-1, *[1] * (window.ndim - 1)), after, window)


def _search_metrics(
    state: PolicySearchState,
    first: PolicyGradients,
    expected: Float[np.ndarray, "member position"],
    reward: Float[np.ndarray, " member"],
) -> StepMetrics:
    return {
        "entropy": softmax_policy.entropies(first.prob[:, 0]).sum(-1),
        "value_loss": np.square(reward[:, None] - expected).mean(1),
        "explained_variance": critic_explained_variance(state.reward, state.values),
    }
