"""The user's own environments, behind the interface of the batched ones.

gymnasium's vector environment holds the state, so this environment is the one that is
not a pure function of it. A trial still is one of its seeds: every episode resets every
copy with a seed that was drawn with the task, and only one batch of episodes is under
way at a time.
"""

import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean
from engine.protocol import ActionSpace, Environment, Transition, Weights

SEEDS = 2**31 - 1
PLACE = "environment"


class OwnCodeError(Refused):
    """The user's environment did what an agent cannot play on; says what."""


def load_gymnasium() -> Any:
    """Return the package.

    Raises:
        Refused: If it is not installed.
    """
    try:
        return importlib.import_module("gymnasium")
    except ImportError:
        raise Refused(
            "own environments need the package gymnasium, which is not installed; "
            "run `python -m pip install gymnasium`",
            PLACE,
        ) from None


def load_attribute(path: str, field: str) -> Any:
    """Return what `module:name` names.

    Args:
        path: The user's text.
        field: The knob that it is from.

    Raises:
        Refused: If there is no such module, or nothing of that name in it.
    """
    module, _, name = path.partition(":")
    try:
        return getattr(importlib.import_module(module), name)
    except Exception as error:  # an import runs any code
        raise Refused(
            f"{clean(path)} cannot be loaded: {describe(error)}", field
        ) from None


def describe(error: Exception) -> str:
    """Return an error of the user's code as one line."""
    text = clean(" ".join(str(error).split()))[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def call_own_code(what: str, call: Callable[[], Any]) -> Any:
    """Call the user's code.

    Raises:
        OwnCodeError: If it raises, with what it was asked for and its own error.
    """
    try:
        return call()
    except OwnCodeError:
        raise
    except Exception as error:  # the user's code may raise anything
        raise OwnCodeError(
            f"the environment's {what} failed: {describe(error)}", PLACE
        ) from None


class OwnWorld(Environment):
    """Copies of the user's environment; a task is a seed and constructor arguments.

    Args:
        make: Makes one copy from constructor arguments.
        draw: Draws constructor arguments from a generator.
        steps: Most steps of an episode.
        best: Return that no policy exceeds.
        worst: Return that a diverged episode counts as.
    """

    uniforms = 1  # the seed of an episode's reset

    def __init__(
        self,
        make: Callable[..., Any],
        draw: Callable[[np.random.Generator], dict[str, Any]],
        steps: int,
        best: float,
        worst: float,
    ) -> None:
        self.make, self.draw, self.steps = make, draw, steps
        self.best, self.lowest = best, worst
        probe = call_own_code(
            "constructor", lambda: make(**draw(np.random.default_rng(0)))
        )
        observed, acted = call_own_code(
            "spaces", lambda: (probe.observation_space, probe.action_space)
        )
        self.observation = observation_size(observed)
        self.actions = action_space(acted)
        self.first = int(getattr(acted, "start", 0))
        call_own_code("close", probe.close)
        self.envs: Any = None
        self.size = (0, 0)

    def start(self, parameters: Weights, noise: Tensor, episode: Tensor) -> Weights:
        """Make a copy for each lane and reset it with the episode's own seed."""
        self.size = (noise.shape[0], noise.shape[1])
        seeds = (noise[..., 0].double() * SEEDS).long().flatten().tolist()
        tasks = parameters["seed"].repeat_interleave(self.size[1]).tolist()
        self._close()
        gym = load_gymnasium()
        makers = [lambda seed=seed: self._copy(int(seed)) for seed in tasks]
        self.envs = call_own_code(
            "constructor", lambda: gym.vector.SyncVectorEnv(makers)
        )
        seen, _ = call_own_code("reset", lambda: self.envs.reset(seed=seeds))
        return {"seen": self._observation(seen, noise)}

    def _copy(self, seed: int) -> Any:
        return self.make(**self.draw(np.random.default_rng(seed)))

    def _close(self) -> None:
        if self.envs is not None:
            call_own_code("close", self.envs.close)

    def _observation(self, seen: Any, like: Tensor) -> Tensor:
        """Return observations as numbers; shape (member, lane, observation)."""
        space = self.envs.single_observation_space
        rows = np.asarray(seen)
        if hasattr(space, "n"):
            rows = encode_states(space, rows)
        rows = rows.reshape(len(rows), -1)
        if rows.shape[1] != self.observation:
            raise OwnCodeError(
                f"the environment's observation has {rows.shape[1]} numbers, but "
                f"{self.observation} in the first task; they must be as many in all",
                PLACE,
            )
        return to_finite("observation", rows, like).unflatten(0, self.size)

    def observe(self, parameters: Weights, state: Weights) -> Tensor:
        """Return the last observation."""
        return state["seen"]

    def step(
        self, parameters: Weights, state: Weights, action: Tensor, noise: Tensor
    ) -> Transition:
        """Step every copy; those that ended begin again and count no more."""
        chosen = action.flatten(0, 1).cpu().numpy()
        if not self.actions.continuous:
            chosen = chosen + self.first
        sent = chosen.astype(self.envs.single_action_space.dtype)
        seen, reward, ended, stopped, _ = call_own_code(
            "step", lambda: self.envs.step(sent)
        )
        pay = to_finite("reward", np.asarray(reward), noise).view(self.size)
        over = torch.from_numpy(ended | stopped).view(self.size)
        return Transition({"seen": self._observation(seen, noise)}, pay, pay, over)

    def optimum(self, parameters: Weights, episodes: int) -> Tensor:
        """Return the best return that the user named, or the registry."""
        size = (len(parameters["seed"]), episodes)
        return torch.full(size, self.best, device=parameters["seed"].device)


def encode_states(space: Any, states: np.ndarray) -> np.ndarray:
    """Return the states of a Discrete space, one-hot.

    Args:
        space: The space.
        states: Of each copy; shape (copy,).

    Returns:
        Shape (copy, state).

    Raises:
        OwnCodeError: If a state is not in the space.
    """
    count, first = int(space.n), int(space.start)
    # A negative index would count from the end.
    outside = states[(states < first) | (states >= first + count)]
    if outside.size:
        raise OwnCodeError(
            f"the environment's observation is {outside[0]}, but its space goes from "
            f"{first} to {first + count - 1}",
            PLACE,
        )
    return np.eye(count)[states - first]


def to_finite(what: str, numbers: np.ndarray, like: Tensor) -> Tensor:
    """Return numbers as a tensor of the precision of another.

    Raises:
        OwnCodeError: If one of them is not finite, or too large for the precision.
    """
    found = torch.from_numpy(numbers).to(like)
    if not bool(found.isfinite().all()):
        large = bool(np.isfinite(numbers).all())
        most = torch.finfo(found.dtype).max
        said = (
            f"is beyond ±{most:.1e}, the largest number" if large else "is not finite"
        )
        raise OwnCodeError(f"the environment's {what} {said}", PLACE)
    return found


def observation_size(space: Any) -> int:
    """Return how many numbers an observation has.

    Raises:
        Refused: If it is neither a Box nor Discrete.
    """
    if hasattr(space, "n") and hasattr(space, "start"):
        return int(space.n)
    if type(space).__name__ == "Box":
        return int(np.prod(space.shape))
    raise refuse_space("observation", space)


def action_space(space: Any) -> ActionSpace:
    """Return the actions of a Box or a Discrete space.

    Raises:
        Refused: If it is another one, or a Box whose bounds are not −b to b.
    """
    if hasattr(space, "n") and hasattr(space, "start"):
        return ActionSpace(int(space.n))
    if type(space).__name__ != "Box" or len(space.shape) != 1:
        raise refuse_space("action", space)
    bound = float(space.high[0])
    same = np.allclose(space.high, bound) and np.allclose(space.low, -bound)
    if not (same and np.isfinite(bound)):
        raise Refused(
            f"its actions are between {space.low.tolist()} and {space.high.tolist()}; "
            "every dimension must go from −b to b with the same b: rescale them with "
            "gymnasium's RescaleAction",
            PLACE,
        )
    return ActionSpace(len(space.high), bound)


def refuse_space(what: str, space: Any) -> Refused:
    """Return the refusal of a space."""
    return Refused(
        f"its {what} space is {type(space).__name__}; it must be Discrete or a Box"
        + (" of one axis" if what == "action" else ""),
        PLACE,
    )
