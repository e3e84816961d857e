"""REINFORCE: one softmax per decision, trained by the policy gradient with a baseline.

Source: Williams (1992), Machine Learning 8; Zoph and Le (2017), arXiv:1611.01578, for
architectures; the controller without a net is that of NAS-Bench-201's code (Dong and
Yang, 2020, arXiv:2001.00326).
Differs: Adam at 0.2 by default; published scripts have SGD at 0.5 or Adam at 0.01,
which hardly moves within 100 evaluations. The baseline does not contain the reward it
is subtracted from, so the estimate is unbiased; the first evaluation only sets the
baseline. A failed training has reward 0. The result is the best architecture seen, not
the most likely one.
Helps: the simplest strategy that learns within a search; frozen, it is random search.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from jaxtyping import Float

from engine.algorithms.search.policy import softmax_policy
from engine.algorithms.search.policy.replay import (
    ReplayEntry,
    ReplayMemory,
    ReplayMixin,
    replay_gradient,
)
from engine.algorithms.search.policy.softmax_policy import AdamMoments, RunningReward
from engine.algorithms.search.search_loop import StepMetrics, run_search
from engine.algorithms.search.untrained_strategy import FixedStrategy
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import (
    Evaluation,
    Meta,
    Proposal,
    SearchBatch,
    TaskBatch,
    TraceSegment,
)

SLOWNESS = 0.9  # decay of the baseline's moving average


class ReinforceState(NamedTuple):
    """State of a search; arrays lead with the member."""

    logits: Float[np.ndarray, "member position option"]
    moments: AdamMoments
    average: Float[np.ndarray, " member"]
    running: RunningReward
    memory: ReplayMemory


@register("learner")
class Reinforce(ReplayMixin, FixedStrategy):
    """logits ← logits + η [(R − b) ∇ ln π(a) + c ∇ H(π)], b = EMA₀.₉(R)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "purple"

    rule: Literal["adam", "sgd", "frozen"] = knob(
        "adam",
        label="Update rule",
        help="Optimizer of the policy. Frozen stays uniform: random search with "
        "repeats, the control that learning must beat.",
    )
    rate: float = knob(
        0.2,
        label="Learning rate η",
        unit="per evaluation",
        low=1e-4,
        high=100.0,
        log=True,
        help="Published scripts: 0.5 with SGD, later 0.01 with Adam.",
    )
    reward: Literal["accuracy", "standardized"] = knob(
        "accuracy",
        label="Reward",
        advanced=True,
        help="Accuracy as a share; standardized divides by its standard deviation so "
        "far, so that one rate suits all spaces.",
    )
    entropy: float = knob(
        0.03,
        label="Entropy weight c",
        low=0.0,
        high=10.0,
        help="Entropy regularization; larger explores longer.",
    )
    floor: float = knob(
        0.0,
        label="Entropy floor",
        unit="share of the maximum",
        low=0.0,
        high=0.99,
        help="Prevents collapse: if the policy's entropy is below this, its "
        "temperature is raised, which mixes it with the uniform one. 0: no floor.",
    )

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[TraceSegment]:
        """Search and update the policy after each evaluation.

        `entropy` is that of the policy that drew the evaluation, summed over the
        decisions; nats, at most ln of the space's size.
        """
        assert isinstance(tasks, SearchBatch)
        # The same draws as random search's: a uniform policy is exactly that.
        uniform = tasks.uniform("search", tasks.horizon, len(tasks.space.radix))
        again = tasks.uniform("replay", tasks.horizon, self.replay + 1)

        def ask(step: int, state: ReinforceState) -> Proposal:
            return Proposal(
                softmax_policy.choose_options(state.logits, uniform[:, step])
            )

        def tell(
            state: ReinforceState, evaluation: Evaluation
        ) -> tuple[ReinforceState, StepMetrics]:
            return self._learn(state, evaluation, again[:, evaluation.step])

        yield from run_search(tasks, self.start(tasks), ask, tell, path=path)

    def start(self, tasks: SearchBatch) -> ReinforceState:
        from scipy.special import ndtri  # here, as it takes long to import

        logits = softmax_policy.flat_logits(tasks.space, tasks.members)
        if self.rule != "frozen":
            uniform = tasks.uniform("policy", *logits.shape[1:]).clip(1e-12, 1 - 1e-12)
            logits = softmax_policy.near_flat_logits(tasks.space, 1e-3, ndtri(uniform))
        return ReinforceState(
            logits,
            softmax_policy.zero_moments(logits.reshape(len(logits), -1)),
            np.zeros(tasks.members),
            RunningReward.empty(tasks.members),
            self.new_memory(tasks),
        )

    def _learn(
        self,
        state: ReinforceState,
        evaluation: Evaluation,
        uniform: Float[np.ndarray, "member draw"],
    ) -> tuple[ReinforceState, StepMetrics]:
        prob, live = softmax_policy.probabilities(state.logits), evaluation.live
        reward = np.maximum(evaluation.value, 0.0)
        running = state.running.update(reward, live)
        moved, moments = self._update_logits(
            state, self.policy_gradient(state, prob, evaluation, uniform[:, 1:])
        )
        memory = state.memory
        if self.replay:
            chance = softmax_policy.log_prob(prob, evaluation.codes)
            found = ReplayEntry(evaluation.codes, reward, chance)
            memory = self.store_evaluation(memory, found, uniform[:, 0], live)
        average = SLOWNESS * state.average + (1 - SLOWNESS) * reward
        after = ReinforceState(
            np.where(live[:, None, None], moved, state.logits),
            softmax_policy.select_live(live, moments, state.moments),
            np.where(live, average, state.average),
            running,
            memory,
        )
        kl = softmax_policy.policy_kl(prob, softmax_policy.probabilities(after.logits))
        seen = {
            "entropy": softmax_policy.entropies(prob).sum(-1),
            "kl": kl,
            "policy": prob,
        }
        return after, seen

    def policy_gradient(
        self,
        state: ReinforceState,
        prob: Float[np.ndarray, "member position option"],
        evaluation: Evaluation,
        uniform: Float[np.ndarray, "member replay"],
    ) -> Float[np.ndarray, "member position option"]:
        """Return the ascent direction of the logits; shape (member, position, option).

        Args:
            state: The search before this evaluation.
            prob: Its policy; shape (member, position, option).
            evaluation: What was just trained.
            uniform: Uniform in [0, 1), for the replays; shape (member, replays).
        """
        first = state.running.count == 0
        # Divided as in Adam: the moving average starts at 0.
        baseline = state.average / np.where(first, 1, 1 - SLOWNESS**state.running.count)
        gain = np.where(first, 0.0, np.maximum(evaluation.value, 0.0) - baseline)
        slope = gain[:, None, None] * softmax_policy.log_prob_gradient(
            prob, evaluation.codes
        )
        if self.replay:
            slope = slope + replay_gradient(
                state.memory, prob, baseline, self.clip, uniform
            )
        if self.reward == "standardized":
            slope = slope / state.running.spread[:, None, None]
        return slope + self.entropy * softmax_policy.entropy_gradient(prob)

    def _update_logits(
        self, state: ReinforceState, slope: Float[np.ndarray, "member position option"]
    ) -> tuple[Float[np.ndarray, "member position option"], AdamMoments]:
        """Take one step of the update rule, then enforce the entropy floor."""
        if self.rule == "frozen":
            return state.logits, state.moments
        if self.rule == "sgd":
            moved, moments = state.logits + self.rate * slope, state.moments
        else:
            rows = slope.reshape(len(slope), -1)
            step, moments = softmax_policy.adam_ascent(rows, state.moments, self.rate)
            moved = state.logits + step.reshape(slope.shape)
        return (
            softmax_policy.temper_logits(moved, self.floor) if self.floor else moved
        ), moments
