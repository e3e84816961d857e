"""REINFORCE: a softmax per decision, pulled toward what was better than expected.

Source: Williams (1992), Machine Learning 8; Zoph and Le (2017), arXiv:1611.01578, for
architectures; the controller without a net is that of NAS-Bench-201's code (Dong and
Yang, 2020, arXiv:2001.00326).
Differs: the baseline does not contain the reward that it is held against, so the
estimate has no bias; the first evaluation only sets the baseline. A failed training
earns 0. The answer is the best one seen, not the likeliest.
Helps: the plainest strategy that learns within a search; frozen, it is random search.
"""

from collections.abc import Iterator
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from scipy.special import ndtri

from engine.algorithms.search.loop import Info, explore
from engine.algorithms.search.policy import softmax
from engine.algorithms.search.policy.replay import Experience, Memory, Replays, replayed
from engine.algorithms.search.policy.softmax import Moments, Running
from engine.algorithms.search.strategy import FixedStrategy
from engine.contract.knobs import knob
from engine.contract.registry import register
from engine.protocol import Asked, Meta, Spaces, Stretch, TaskBatch, Told

Numbers = np.ndarray
SLOWNESS = 0.9


class State(NamedTuple):
    """A policy on its way; arrays lead with the member."""

    logits: Numbers
    moments: Moments
    average: Numbers
    running: Running
    memory: Memory


@register("learner")
class Reinforce(Replays, FixedStrategy):
    """logits ← logits + η [(R − b) ∇ ln π(a) + c ∇ H(π)], b = EMA₀.₉(R)."""

    version: ClassVar[int] = 1
    hue: ClassVar[str] = "purple"

    rule: Literal["adam", "sgd", "frozen"] = knob(
        "adam", label="Update rule",
        help="How the policy moves. Frozen stays flat: random search with repeats, "
        "the control that learning must beat.",
    )  # fmt: skip
    rate: float = knob(
        0.2, label="Learning rate η", unit="per evaluation", low=1e-4, high=100.0,
        log=True, help="Published scripts: 0.5 with SGD, later 0.01 with Adam.",
    )  # fmt: skip
    reward: Literal["accuracy", "standardized"] = knob(
        "accuracy", label="Reward", advanced=True,
        help="Accuracy as a share; standardized divides by its spread so far, so that "
        "one rate suits spaces of any spread.",
    )  # fmt: skip
    entropy: float = knob(
        0.03, label="Entropy weight c", low=0.0, high=10.0,
        help="Pulls the policy back to flat; more explores longer.",
    )  # fmt: skip
    floor: float = knob(
        0.0, label="Entropy floor", unit="share of the maximum", low=0.0, high=0.99,
        help="Against collapse: the temperature rises whenever the policy has less "
        "entropy than this, which mixes it with the uniform one. 0: no floor.",
    )  # fmt: skip

    def adapt(
        self, meta: Meta, tasks: TaskBatch, *, path: bool = False
    ) -> Iterator[Stretch]:
        """Search; `entropy` is traced in nats, its most being ln of the space's size.

        It is the entropy of the policy that drew the evaluation, over all decisions.
        """
        assert isinstance(tasks, Spaces)
        # The same numbers as random search's, so that a flat policy is just that.
        uniform = tasks.uniform("search", tasks.horizon, len(tasks.space.radix))
        again = tasks.uniform("replay", tasks.horizon, self.replay + 1)

        def ask(step: int, state: State) -> Asked:
            return Asked(softmax.chosen(state.logits, uniform[:, step]))

        def tell(state: State, told: Told) -> tuple[State, Info]:
            return self._learned(state, told, again[:, told.step])

        yield from explore(tasks, self.start(tasks), ask, tell, path=path)

    def start(self, tasks: Spaces) -> State:
        logits = softmax.flat(tasks.space, tasks.members)
        if self.rule != "frozen":
            uniform = tasks.uniform("policy", *logits.shape[1:]).clip(1e-12, 1 - 1e-12)
            logits = softmax.started(tasks.space, 1e-3, ndtri(uniform))
        return State(
            logits,
            softmax.still(logits.reshape(len(logits), -1)),
            np.zeros(tasks.members),
            Running.begun(tasks.members),
            self.memory(tasks),
        )

    def _learned(
        self, state: State, told: Told, uniform: Numbers
    ) -> tuple[State, Info]:
        prob, live = softmax.shares(state.logits), told.live
        reward = np.maximum(told.value, 0.0)
        running = state.running.seen(reward, live)
        moved, moments = self._moved(
            state, self.slope(state, prob, told, uniform[:, 1:])
        )
        memory = state.memory
        if self.replay:
            chance = softmax.log_chance(prob, told.codes)
            found = Experience(told.codes, reward, chance)
            memory = self.kept(memory, found, uniform[:, 0], live)
        average = SLOWNESS * state.average + (1 - SLOWNESS) * reward
        after = State(
            np.where(live[:, None, None], moved, state.logits),
            softmax.where(live, moments, state.moments),
            np.where(live, average, state.average),
            running,
            memory,
        )
        kl = softmax.divergence(prob, softmax.shares(after.logits))
        seen = {"entropy": softmax.entropies(prob).sum(-1), "kl": kl, "policy": prob}
        return after, seen

    def slope(
        self, state: State, prob: Numbers, told: Told, uniform: Numbers
    ) -> Numbers:
        """Return the gradient to climb: this evaluation's, and that of replays."""
        first = state.running.count == 0
        baseline = state.average / np.where(first, 1, 1 - SLOWNESS**state.running.count)
        gain = np.where(first, 0.0, np.maximum(told.value, 0.0) - baseline)
        slope = gain[:, None, None] * softmax.scores(prob, told.codes)
        if self.replay:
            slope = slope + replayed(state.memory, prob, baseline, self.clip, uniform)
        if self.reward == "standardized":
            slope = slope / state.running.spread[:, None, None]
        return slope + self.entropy * softmax.entropy_slope(prob)

    def _moved(self, state: State, slope: Numbers) -> tuple[Numbers, Moments]:
        """Climb, then keep the entropy floor."""
        if self.rule == "frozen":
            return state.logits, state.moments
        if self.rule == "sgd":
            moved, moments = state.logits + self.rate * slope, state.moments
        else:
            rows = slope.reshape(len(slope), -1)
            step, moments = softmax.adam(rows, state.moments, self.rate)
            moved = state.logits + step.reshape(slope.shape)
        return (softmax.tempered(moved, self.floor) if self.floor else moved), moments
