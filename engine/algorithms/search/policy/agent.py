"""Searches by policy and value nets: what fresh and meta-trained ones share."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from engine.algorithms.search.loop import Info, explore
from engine.algorithms.search.policy import softmax
from engine.algorithms.search.policy.actor_critic import (
    Aim,
    Batch,
    Nets,
    Slopes,
    climbed,
    favored,
    foreseen,
    slopes,
)
from engine.algorithms.search.policy.replay import Experience, Memory, Replays, recalled
from engine.algorithms.search.policy.sequence_policy import Frame, built
from engine.algorithms.search.policy.softmax import Running
from engine.contract.knobs import knob
from engine.protocol import Asked, Spaces, Stretch, Told

Numbers = np.ndarray
WINDOW, DRAWN = 50, 64


class State(NamedTuple):
    """A search on its way; arrays lead with the member.

    `reward` and `worth` are the last 50 rewards and what the critic expected before
    each decision, before it learned of them; NaN where there is none yet.
    """

    nets: Nets
    running: Running
    memory: Memory
    reward: Numbers
    worth: Numbers


class Agents(Replays):
    """A strategy whose policy and value function are nets."""

    hidden: int = knob(
        32, label="Hidden units", low=1, high=256,
        help="Of the policy net, and of the value net.",
    )  # fmt: skip
    trace: float = knob(
        0.95, label="Trace λ", low=0.0, high=1.0,
        help="How a decision is credited: 0 by the critic's next outlook, 1 by the "
        "reward itself.",
    )  # fmt: skip
    critic: float = knob(
        0.3, label="Critic's rate", unit="× the policy's", low=0.0, high=10.0,
        advanced=True,
        help="A slower critic follows single rewards less.",
    )  # fmt: skip
    entropy: float = knob(
        0.3, label="Entropy weight c", low=0.0, high=10.0,
        help="Pulls the policy back to flat; more explores longer.",
    )  # fmt: skip
    floor: float = knob(
        0.25, label="Entropy floor", unit="share of the maximum", low=0.0, high=0.99,
        help="Against collapse: below it the entropy weight rises. 0: no floor.",
    )  # fmt: skip
    replay: int = knob(
        4, label="Replays", unit="per evaluation", low=0, high=64,
        help="Remembered evaluations that each update learns from again; 0: none.",
    )  # fmt: skip
    updates: int = knob(
        1, label="Updates", unit="per evaluation", low=1, high=16,
        help="Steps of both nets on one evaluation and its replays.",
    )  # fmt: skip

    def learning(self, tasks: Spaces, context: Numbers, rate: float) -> "Learning":
        """Say how nets of this space learn.

        Args:
            tasks: What is searched.
            context: What the nets know of each task; shape (row, item, feature).
            rate: Adam's step; 0 leaves the nets.
        """
        frame = Frame(tasks.space.radix, context.shape[-1], self.hidden)
        aim = Aim(self.trace, self.entropy, self.floor, self.clip, rate, self.critic)
        return Learning(frame, context, aim, np.zeros((len(context), 0)))

    def search(
        self, tasks: Spaces, nets: Nets, learning: "Learning", *, path: bool
    ) -> Iterator[Stretch]:
        """Search from given nets, one row per member.

        `entropy` is traced in nats: of each decision given those before it, summed
        along the architecture that was drawn; its mean is the policy's entropy, its
        most ln of the space's size.
        """
        frame, context = learning.frame, learning.context
        places = len(tasks.space.radix)
        uniform = tasks.uniform("search", tasks.horizon, places)
        again = tasks.uniform("replay", tasks.horizon, self.replay + 1)
        shown = tasks.uniform("shown", DRAWN, places) if path else None

        def ask(step: int, state: State) -> Asked:
            drawn = uniform[:, step : step + 1]
            return Asked(built(frame, state.nets.policy, context, drawn)[0][:, 0])

        def tell(state: State, told: Told) -> tuple[State, Info]:
            now = learning._replace(uniform=again[:, told.step])
            after, info = self._learned(state, told, now)
            if shown is not None:
                info["policy"] = favored(frame, state.nets, context, shown)
            return after, info

        yield from explore(tasks, self.start(tasks, nets), ask, tell, path=path)

    def start(self, tasks: Spaces, nets: Nets) -> State:
        """Return a search before its first evaluation."""
        none = np.full((tasks.members, WINDOW), np.nan)
        worth = np.repeat(none[..., None], len(tasks.space.radix), 2)
        begun = Running.begun(tasks.members)
        return State(nets, begun, self.memory(tasks), none, worth)

    def _learned(
        self, state: State, told: Told, learning: "Learning"
    ) -> tuple[State, Info]:
        live, reward = told.live, np.maximum(told.value, 0.0)
        running = state.running.seen(reward, live)
        batch = self.batch(state, told, running, learning)
        nets, first, chance = self.updated(state.nets, batch, learning)
        memory = state.memory
        if self.replay:
            kept = Experience(told.codes, reward, chance[:, 0])
            memory = self.kept(memory, kept, learning.uniform[:, 0], live)
        expected = state.running.plain(first.worth[:, 0])
        after = State(
            moved_where(live, nets, state.nets),
            running,
            memory,
            _rolled(state.reward, reward, live),
            _rolled(state.worth, expected, live),
        )
        return after, _seen(after, first, expected, reward)

    def updated(
        self, nets: Nets, batch: Batch, learning: "Learning"
    ) -> tuple[Nets, Slopes, Numbers]:
        """Move nets by a batch; return them, what they said before, and the chances."""
        first = found = slopes(learning.frame, nets, batch, learning.aim)
        now = softmax.log_chance(first.prob, batch.codes)
        chance = np.where(np.isnan(batch.chance), now, batch.chance)
        batch = batch._replace(chance=chance)
        for update in range(self.updates):
            if update:
                found = slopes(learning.frame, nets, batch, learning.aim)
            nets = climbed(nets, found, learning.aim)
        return nets, first, chance

    def batch(
        self, state: State, told: Told, running: Running, learning: "Learning"
    ) -> Batch:
        """Put this evaluation first, then what is replayed."""
        codes, reward = told.codes[:, None], np.maximum(told.value, 0.0)[:, None]
        chance = np.full(reward.shape, np.nan)
        # The first reward only says where rewards are.
        counts = 1.0 * (told.live & (state.running.count > 0))[:, None]
        if self.replay:
            past, there = recalled(state.memory, learning.uniform[:, 1:])
            codes = np.concatenate([codes, past.codes], 1)
            reward = np.concatenate([reward, past.value], 1)
            chance = np.concatenate([chance, past.chance], 1)
            counts = np.concatenate([counts, there], 1)
        context = np.repeat(learning.context, codes.shape[1], 1)
        return Batch(codes, context, running.standard(reward), chance, counts)


class Learning(NamedTuple):
    """What an update goes by besides what was seen.

    `uniform` holds numbers in [0, 1) of shape (row, 1 + replays).
    """

    frame: Frame
    context: Numbers
    aim: Aim
    uniform: Numbers


def moved_where(live: Numbers, after: Nets, before: Nets) -> Nets:
    """Return nets that moved for live rows only."""
    if live.all():
        return after
    rows = live[:, None]
    return Nets(
        np.where(rows, after.policy, before.policy),
        np.where(rows, after.value, before.value),
        softmax.where(live, after.policy_moments, before.policy_moments),
        softmax.where(live, after.value_moments, before.value_moments),
    )


def _rolled(window: Numbers, new: Numbers, live: Numbers) -> Numbers:
    after = np.concatenate([window[:, 1:], new[:, None]], 1)
    return np.where(live.reshape(-1, *[1] * (window.ndim - 1)), after, window)


def _seen(state: State, first: Slopes, expected: Numbers, reward: Numbers) -> Info:
    return {
        "entropy": softmax.entropies(first.prob[:, 0]).sum(-1),
        "value_loss": np.square(reward[:, None] - expected).mean(1),
        "explained_variance": foreseen(state.reward, state.worth),
    }
