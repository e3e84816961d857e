"""Speeds of a run's stages, learned from runs that ended: a Gaussian process.

What is predicted is the log of the seconds per unit of work of a stage. Two stages are
the more alike, the more of kind, learner, family, net and machine they share: each
adds a variance to their covariance. So a learner that was never run here is estimated
from others of its kind, with a range as wide as those differ, and one finished run
moves the estimates of all others, most of all its own.

Source: Rasmussen and Williams (2006), Gaussian Processes for Machine Learning,
algorithm 2.1.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

# Variances of log speeds, by the fields that two stages share.
SHARED = {
    ("kind", "sort"): 4.0,
    ("machine",): 0.25,
    # What no name tells: what else the machine does, compiles, or stops early.
    ("run",): 0.09,
    ("machine", "kind"): 0.05,
    ("kind", "sort", "learner"): 0.5,
    ("kind", "learner"): 0.2,
    ("kind", "family"): 0.2,
    ("kind", "sort", "family"): 0.3,
    ("kind", "net"): 0.2,
    ("sort", "estimator"): 0.1,
    ("kind", "sort", "learner", "family", "net"): 0.1,
    ("machine", "kind", "sort", "learner", "family", "net"): 0.05,
}
NOISE = 0.03  # of one stage of one run
# Seconds; a stage that takes less is timed by what does not go with its work.
SHORT = 0.02


class Traits(NamedTuple):
    """What the speed of a stage goes with; names, or empty where none applies.

    `run` tells a run from all others; it is empty for the one that is asked about.
    """

    machine: str
    kind: str
    sort: str
    learner: str
    family: str
    net: str
    estimator: str
    run: str


class TimedStage(NamedTuple):
    """A stage that was timed.

    Args:
        traits: What its speed goes with.
        seconds: How long it took.
        work: Its work, as `costs.StageWork` counts it.
    """

    traits: Traits
    seconds: float
    work: float


class Speeds:
    """Seconds per unit of work, with their uncertainty.

    Args:
        timed: Stages of runs that ended, of this and of other machines; at least one.
    """

    def __init__(self, timed: Sequence[TimedStage]) -> None:
        self._known = [each.traits for each in timed]
        seconds = np.array([each.seconds for each in timed])
        slow = np.log((seconds + SHORT) / np.array([each.work for each in timed]))
        self._mean = float(slow.mean())
        short = (SHORT / (seconds + SHORT)) ** 2
        covariance = _covariance(self._known, self._known) + np.diag(NOISE + short)
        self._factor = np.linalg.cholesky(covariance)
        whitened = np.linalg.solve(self._factor, slow - self._mean)
        self._weights = np.linalg.solve(self._factor.T, whitened)

    def predict(self, asked: Sequence[Traits]) -> tuple[NDArray, NDArray]:
        """Return mean and covariance of the log seconds per unit of work.

        Args:
            asked: The stages.

        Returns:
            Shapes (stage,) and (stage, stage); the noise of single stages is left out.
        """
        across = _covariance(asked, self._known)
        explained = np.linalg.solve(self._factor, across.T)
        mean = self._mean + across @ self._weights
        return mean, _covariance(asked, asked) - explained.T @ explained


def _covariance(rows: Sequence[Traits], columns: Sequence[Traits]) -> NDArray:
    """Return the covariances of two lists of stages."""
    found = np.zeros((len(rows), len(columns)))
    for fields, variance in SHARED.items():
        numbers: dict[tuple[str, ...], int] = {}
        left, right = (
            [_number(numbers, each, fields) for each in stages]
            for stages in (rows, columns)
        )
        found += variance * (np.array(left)[:, None] == np.array(right))
    return found


def _number(
    numbers: dict[tuple[str, ...], int], traits: Traits, fields: tuple[str, ...]
) -> int:
    """Return the number of a combination of names; equal ones have the same."""
    key = tuple(getattr(traits, field) for field in fields)
    return numbers.setdefault(key, len(numbers))
