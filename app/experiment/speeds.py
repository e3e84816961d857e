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
        known = [each.traits for each in timed]
        self._numbers = _Numbers()
        self._known = self._numbers.of(known)
        seconds = np.array([each.seconds for each in timed])
        slow = np.log((seconds + SHORT) / np.array([each.work for each in timed]))
        self._mean = float(slow.mean())
        short = (SHORT / (seconds + SHORT)) ** 2
        covariance = _covariance(self._known, self._known) + np.diag(NOISE + short)
        # Inverted once: a form asks at every click, and always the same speeds.
        self._whitening = np.linalg.inv(np.linalg.cholesky(covariance))
        whitened = self._whitening @ (slow - self._mean)
        self._weights = self._whitening.T @ whitened

    def predict(self, asked: Sequence[Traits]) -> tuple[NDArray, NDArray]:
        """Return mean and covariance of the log seconds per unit of work.

        Args:
            asked: The stages.

        Returns:
            Shapes (stage,) and (stage, stage); the noise of single stages is left out.
        """
        numbers = self._numbers.of(asked)
        across = _covariance(numbers, self._known)
        explained = self._whitening @ across.T
        mean = self._mean + across @ self._weights
        return mean, _covariance(numbers, numbers) - explained.T @ explained


class _Numbers:
    """Numbers for the combinations of names that stages may share; equal ones have one.

    Of other stages than the known ones nothing is kept.
    """

    def __init__(self) -> None:
        self._held: list[dict[tuple[str, ...], int]] = [{} for _ in SHARED]
        self._is_full = False

    def of(self, stages: Sequence[Traits]) -> NDArray[np.int64]:
        """Return the numbers of stages, shape (combination, stage).

        The first call is for the known ones.
        """
        found = []
        for fields, held in zip(SHARED, self._held, strict=True):
            names = held if not self._is_full else dict(held)
            keys = [tuple(getattr(each, name) for name in fields) for each in stages]
            found.append([names.setdefault(key, len(names)) for key in keys])
        self._is_full = True
        return np.array(found, dtype=np.int64).reshape(len(SHARED), len(stages))


def _covariance(rows: NDArray[np.int64], columns: NDArray[np.int64]) -> NDArray:
    """Return the covariances of two lists of stages, by their numbers."""
    variances = np.array(list(SHARED.values()))
    same = rows[:, :, None] == columns[:, None, :]
    return np.einsum("c,cij->ij", variances, same)
