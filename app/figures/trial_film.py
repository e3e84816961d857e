"""Films of agents: which ones were recorded, and their episodes."""

from collections.abc import Mapping, Sequence

import numpy as np

from app.figures.figure_types import Film, Floats
from app.figures.theme import format_number


def filmed_agents(film: Film, roles: Mapping[str, str]) -> list[str]:
    """Return the labels of the agents that a film shows, in the spec's order."""
    return [label for label in roles if f"{label}/reward" in film.arrays]


def episode_steps(film: Film, label: str, trial: int, episode: int) -> int:
    """Return how many steps an episode had."""
    alive = np.asarray(film.arrays[f"{label}/alive"])[trial, episode]
    return int(alive.sum())


def observations(film: Film, label: str, trial: int, episode: int) -> Floats:
    """Return what the agent saw before each step of an episode; (step, number)."""
    seen = np.asarray(film.arrays[f"{label}/observation"], dtype=np.float64)
    return seen[trial, episode, : episode_steps(film, label, trial, episode)]


def episode_return(film: Film, label: str, trial: int, episode: int) -> float:
    """Return the sum of an episode's rewards."""
    return float(np.asarray(film.arrays[f"{label}/reward"])[trial, episode].sum())


def return_remarks(
    film: Film, labels: Sequence[str], trial: int, episode: int
) -> dict[str, str]:
    """Return what each agent earned in an episode, for the panels' titles."""
    earned = {label: episode_return(film, label, trial, episode) for label in labels}
    return {label: f"return {format_number(each)}" for label, each in earned.items()}


def shown_episodes(film: Film) -> list[int]:
    """Return the episodes that tell a trial: the first, the middle and the last."""
    count = len(np.asarray(film.arrays["optimum"])[0])
    return sorted({0, count // 2, count - 1})
