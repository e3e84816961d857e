"""Rollouts: agents play episodes of all tasks of a batch at once.

An agent is pure functions over an explicit memory, so learners that keep a memory over
a trial and learners that do not are played by the same lines.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from engine.protocol import (
    ActionSpace,
    Transition,
    TrialBatch,
    Weights,
)


class Seen(NamedTuple):
    """What an agent sees before it acts; member first, then lane.

    Args:
        observation: Shape (member, lane, number).
        action: The last action, one-hot if discrete; zeros at the trial's start; shape
            (member, lane, action).
        reward: The last reward; shape (member, lane).
        ended: Whether the last step ended an episode: 0 or 1; shape (member, lane).
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    ended: Tensor


class Decision(NamedTuple):
    """What an agent does.

    Args:
        action: int64, shape (member, lane); or continuous, (member, lane, dimension).
        memory: The agent's new memory, by name; shape (member, lane, …).
        entropy: Of its policy, nats; shape (member, lane). NaN says that the policy
            is not finite: the task has diverged.
    """

    action: Tensor
    memory: Weights
    entropy: Tensor


class Agent(Protocol):
    """Acts in every lane of every member, by pure functions of an explicit memory."""

    def start(self, members: int, lanes: int) -> Weights:
        """Return the memory at the start of a trial; shape (member, lane, …)."""

    def act(self, memory: Weights, seen: Seen, noise: Tensor) -> Decision:
        """Return the next action.

        Args:
            memory: From the last step.
            seen: What it sees now.
            noise: The random numbers to sample with; shape (member, lane, number).
        """


@dataclass(frozen=True)
class Rollout:
    """Episodes that were played; shape (member, episode, step, …).

    Args:
        observation: Before each action.
        action: int64, or continuous with an axis of dimensions.
        reward: After each action; 0 after the episode's end.
        expected: Its expectation; 0 after the end.
        alive: Whether the episode had not ended before the step.
        entropy: Of the policy, nats; NaN where it was not finite.
        best: Whether the action was an optimal one; None if that is not known, or if
            actions are continuous.
        cell: The visited cell; None if cells are not counted.
    """

    observation: Tensor
    action: Tensor
    reward: Tensor
    expected: Tensor
    alive: Tensor
    entropy: Tensor
    best: Tensor | None = None
    cell: Tensor | None = None


class Played(NamedTuple):
    """Episodes, and what is needed to go on with the trial."""

    rollout: Rollout
    memory: Weights
    seen: Seen


def first_sight(tasks: TrialBatch, lanes: int) -> Seen:
    """Return what an agent knows before its first step: no action, no reward.

    The observation is filled in when an episode starts.
    """
    like, size = tasks.action_noise, (tasks.members, lanes)
    nothing = like.new_zeros(size)
    space = tasks.environment.actions
    return Seen(
        like.new_zeros(*size, 0), like.new_zeros(*size, space.count), *[nothing] * 2
    )


@torch.no_grad()
def play(
    tasks: TrialBatch, agent: Agent, memory: Weights, seen: Seen, episodes: range
) -> Played:
    """Play episodes of every task side by side, one per lane.

    Args:
        tasks: The tasks; each episode has the random numbers of its number.
        agent: Who acts.
        memory: Its memory; shape (member, lane, …).
        seen: What it saw last.
        episodes: Numbers of the episodes, consecutive.

    Returns:
        The episodes, and the agent's memory and sight after them.
    """
    world, cut = tasks.environment, slice(episodes.start, episodes.stop)
    noise, sampling = tasks.noise[:, cut], tasks.action_noise[:, cut]
    numbers = torch.arange(episodes.start, episodes.stop, device=noise.device)
    state = world.start(tasks.parameters, noise[:, :, 0], numbers)
    alive = torch.ones_like(sampling[:, :, 0, 0]) > 0
    steps: list[Rollout] = []
    for step in range(world.steps):
        sight = world.observe(tasks.parameters, state)
        # What does not depend on the episode may have one lane.
        seen = seen._replace(observation=sight.expand(-1, len(episodes), -1))
        decision = agent.act(memory, seen, sampling[:, :, step])
        sent = clip_action(world.actions, decision.action)
        done = world.step(tasks.parameters, state, sent, noise[:, :, step + 1])
        steps.append(_record(tasks, state, seen, decision, done, alive))
        last = step + 1 == world.steps
        ended = torch.ones_like(done.ended) if last else done.ended
        now = Seen(
            seen.observation, encode(tasks, sent), steps[-1].reward, ended.to(noise)
        )
        # After the end an agent sees nothing and learns nothing.
        if bool(alive.all()):
            seen, memory = now, decision.memory
        else:
            seen = Seen(*(_keep_ended(alive, *p) for p in zip(now, seen, strict=True)))
            memory = {
                name: _keep_ended(alive, new, memory.get(name, new))
                for name, new in decision.memory.items()
            }
        state, alive = done.state, alive & ~ended
    return Played(_combine(torch.stack, steps, 2), memory, seen)


def _keep_ended(alive: Tensor, now: Tensor, before: Tensor) -> Tensor:
    """Return what is new in lanes that are alive, and what was before in others."""
    return now.where(alive.view(*alive.shape, *[1] * (now.dim() - 2)), before)


def clip_action(space: ActionSpace, action: Tensor) -> Tensor:
    """Return the action that reaches the environment: within its bounds."""
    return action.clamp(-space.bound, space.bound) if space.continuous else action


def _record(
    tasks: TrialBatch,
    state: Weights,
    seen: Seen,
    decision: Decision,
    done: Transition,
    alive: Tensor,
) -> Rollout:
    """Return one step of every lane; shape (member, lane, …)."""
    world, action = tasks.environment, decision.action
    known = world.knows_best and not world.actions.continuous
    best = world.is_best(tasks.parameters, state, action) if known else None
    return Rollout(
        observation=seen.observation,
        action=action,
        # After the end nothing counts, not even a reward that is not finite.
        reward=done.reward.where(alive, 0.0),
        expected=done.expected.where(alive, 0.0),
        alive=alive,
        entropy=decision.entropy,
        best=None if best is None else best.to(done.reward),
        cell=world.cell(state, action) if world.cells else None,
    )


def play_trial(tasks: TrialBatch, agent: Agent) -> Rollout:
    """Play all episodes one after another, with the memory kept between them."""
    return join_rollouts([played.rollout for played in play_episodes(tasks, agent)])


def play_episodes(tasks: TrialBatch, agent: Agent) -> Iterator[Played]:
    """Yield all episodes one after another, with the memory kept between them."""
    memory, seen = agent.start(tasks.members, 1), first_sight(tasks, 1)
    for number in range(tasks.horizon):
        played = play(tasks, agent, memory, seen, range(number, number + 1))
        yield played
        memory, seen = played.memory, played.seen


def join_rollouts(parts: Sequence[Rollout]) -> Rollout:
    """Return consecutive episodes of the same tasks as one rollout."""
    return _combine(torch.cat, parts, 1)


def _combine(
    join: Callable[[list[Tensor], int], Tensor], parts: Sequence[Rollout], dim: int
) -> Rollout:
    columns = ([getattr(part, f.name) for part in parts] for f in fields(Rollout))
    return Rollout(*(None if c[0] is None else join(c, dim) for c in columns))


def encode(tasks: TrialBatch, action: Tensor) -> Tensor:
    """Return actions as an agent sees them: one-hot if discrete.

    Returns:
        Shape (…, action).
    """
    space = tasks.environment.actions
    if space.continuous:
        return action
    return torch.nn.functional.one_hot(action, space.count).to(tasks.noise.dtype)
