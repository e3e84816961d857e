"""PSRL: draws an MDP from the posterior and plays its optimal policy for an episode.

Source: Osband, Russo, Van Roy (2013), arXiv:1306.0940, algorithm 1, with Dirichlet
posteriors of transitions, as in its section 6.
Differs: rewards are normal with known variance, as in Duan et al. (2016), section 3.2.
Their prior mean is 0, as in the code of Osband (TabulaRL), which gives the published
return; with the true one of `tabular_mdp`, 1, PSRL explores more and earns less in ten
episodes. Where an episode ends, no transition is counted.
Helps: the Bayesian comparator for tabular tasks; it need not be trained.
"""

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.algorithms.rl.backward_induction import expect, solve_backward
from engine.algorithms.rl.fixed_strategy import FixedStrategy
from engine.algorithms.rl.rollouts import Agent, Decision, Seen
from engine.contract.parts import knob
from engine.contract.registry import register
from engine.protocol import Meta, TaskBatch, TrialBatch, Weights, generator


class _PosteriorAgent:
    """Keeps sufficient statistics over the trial, and a policy over an episode.

    Memory: `moves`, counts of (state, action, next state), (member, lane, …); `pays`,
    sums of rewards, and `tries`, their counts, each (member, lane, state, action);
    `policy`, (member, lane, step, state); `at`, the last state, one-hot; `time`, steps
    of this episode; `episode`, its number.
    """

    def __init__(self, psrl: "Psrl", tasks: TrialBatch) -> None:
        self.psrl, self.streams = psrl, tasks.streams
        self.states = tasks.environment.states
        self.actions = tasks.environment.actions.count
        self.steps, self.like = tasks.steps, tasks.action_noise

    def start(self, members: int, lanes: int) -> Weights:
        """Return empty statistics, before the first episode."""
        pairs = (members, lanes, self.states, self.actions)
        zeros = self.like.new_zeros
        whole = zeros(members, lanes, dtype=torch.int64)
        return {
            "moves": zeros(*pairs, self.states),
            "pays": zeros(pairs),
            "tries": zeros(pairs),
            "policy": zeros(*pairs[:2], self.steps, self.states, dtype=torch.int64),
            "at": zeros(*pairs[:3]),
            "time": whole,
            "episode": whole,
        }

    def act(self, memory: Weights, seen: Seen, noise: Tensor) -> Decision:
        """Count the last step; at the start of an episode, draw a new policy."""
        memory = memory | _count(memory, seen)
        begins = (memory["time"] == 0) | (seen.ended > 0)
        if begins.any():
            memory = memory | self._new_policy(memory, begins)
        at = seen.observation.argmax(-1)
        here = memory["policy"].gather(-1, _column(at, self.steps)).squeeze(-1)
        action = here.gather(-1, memory["time"].unsqueeze(-1)).squeeze(-1)
        later = {"at": seen.observation, "time": memory["time"] + 1}
        return Decision(action, memory | later, torch.zeros_like(seen.reward))

    def _new_policy(self, memory: Weights, begins: Tensor) -> Weights:
        """Return the policies of new episodes, which are at their first step."""
        drawn = [
            self._draw(memory, member, lane)
            for member, lane in begins.nonzero().tolist()
        ]
        chances = torch.from_numpy(np.stack([c for c, _ in drawn])).to(self.like)
        pays = torch.from_numpy(np.stack([p for _, p in drawn])).to(self.like)
        plan = solve_backward(pays, lambda v: expect(chances, v), self.steps)
        policy = memory["policy"].clone()
        policy[begins] = plan.action_values.argmax(-1)
        first = memory["time"].masked_fill(begins, 0)
        return {
            "policy": policy,
            "time": first,
            "episode": memory["episode"] + begins.long(),
        }

    def _draw(
        self, memory: Weights, member: int, lane: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw one member's transition chances and mean rewards from the posterior."""
        number = int(memory["episode"][member, lane])
        draw = generator(self.streams[member].child("posterior", number, lane))
        psrl = self.psrl
        moves = psrl.prior_moves + memory["moves"][member, lane].cpu().numpy()
        # Gamma numbers of much smaller counts would underflow, all of a row at once.
        chances = draw.standard_gamma(moves.astype(np.float64))
        chances /= chances.sum(-1, keepdims=True)
        precision = psrl.prior_deviation**-2 + (
            memory["tries"][member, lane].cpu().numpy() / psrl.noise**2
        )
        summed = memory["pays"][member, lane].cpu().numpy() / psrl.noise**2
        mean = (psrl.prior_mean / psrl.prior_deviation**2 + summed) / precision
        return chances, mean + draw.standard_normal(mean.shape) / precision**0.5


def _count(memory: Weights, seen: Seen) -> Weights:
    """Return the statistics with the last step counted; nothing before the first."""
    tried = memory["at"].unsqueeze(-1) * seen.action.unsqueeze(-2)
    # After an episode's last step, its next state is not seen.
    came = seen.observation * (1.0 - seen.ended).unsqueeze(-1)
    return {
        "moves": memory["moves"] + tried.unsqueeze(-1) * came[..., None, None, :],
        "pays": memory["pays"] + tried * seen.reward[..., None, None],
        "tries": memory["tries"] + tried,
    }


def _column(at: Tensor, steps: int) -> Tensor:
    """Return states as an index along the last axis; (member, lane, step, 1)."""
    return at[..., None, None].expand(-1, -1, steps, 1)


@register("learner")
class Psrl(FixedStrategy):
    """M ~ p(M | trial so far); π = the optimal policy of M, for one episode."""

    version: ClassVar[int] = 1
    short: ClassVar[str] = "PSRL"
    hue: ClassVar[str] = "teal"
    solves: ClassVar[frozenset[str]] = frozenset({"rl"})
    answers: ClassVar[tuple[str, ...]] = ("states",)
    trains: ClassVar[bool] = False

    prior_moves: float = knob(
        1.0,
        label="Prior of transitions",
        low=0.05,
        high=10.0,
        log=True,
        help="Of the Dirichlet distribution; small: dynamics are nearly deterministic.",
    )
    prior_mean: float = knob(
        0.0, label="Prior mean", low=-10.0, high=10.0, help="Of the mean rewards."
    )
    prior_deviation: float = knob(
        1.0,
        label="Prior deviation",
        low=0.01,
        high=10.0,
        log=True,
        help="Standard deviation of the mean rewards.",
    )
    noise: float = knob(
        1.0,
        label="Reward noise",
        low=0.01,
        high=10.0,
        log=True,
        help="Standard deviation of rewards around their mean.",
    )

    def why_not(self, meta: Meta, tasks: TaskBatch) -> str | None:
        """Return the reason why there are no states to count; None if there are."""
        assert isinstance(tasks, TrialBatch)
        if tasks.environment.states:
            return None
        return "PSRL counts states, and observations here do not name one"

    def agent(self, tasks: TrialBatch) -> Agent:
        """Return the agent."""
        return _PosteriorAgent(self, tasks)
