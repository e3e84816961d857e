"""Spaces of architectures, and evaluators, which train their architectures.

Arrays here are numpy arrays; an architecture's code is one small integer per decision.
"""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int, Integer


@dataclass(frozen=True)
class Space:
    """A product of decisions, each with a few options.

    Args:
        name: Name of the space.
        positions: Names of the decisions.
        options: Names of each decision's options, in the order of the codes.
        edges: (from node, to node) of each position, where positions are the edges
            of a cell; empty where they are a list of decisions.
    """

    name: str
    positions: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    edges: tuple[tuple[int, int], ...] = ()

    @cached_property
    def radix(self) -> tuple[int, ...]:
        """Number of options at each position."""
        return tuple(len(names) for names in self.options)

    @property
    def size(self) -> int:
        """Number of architectures."""
        return math.prod(self.radix)

    def index(
        self, codes: Integer[np.ndarray, "*batch position"]
    ) -> Int[np.ndarray, " *batch"]:
        """Return the number of each architecture, in mixed-radix order.

        Args:
            codes: Shape (…, position).

        Returns:
            Integers from 0 to `size` − 1; shape (…).

        >>> Space("toy", ("a", "b"), (("x", "y"), ("p", "q", "r"))).index(
        ...     np.array([[0, 2], [1, 0]])).tolist()
        [2, 3]
        """
        return np.asarray(codes.astype(np.int64) @ self._weights)

    @cached_property
    def _weights(self) -> Int[np.ndarray, " position"]:
        # The first position is the most significant digit.
        after = [math.prod(self.radix[i + 1 :]) for i in range(len(self.radix))]
        return np.array(after, np.int64)

    def codes(
        self, index: Integer[np.ndarray, " *batch"]
    ) -> Int[np.ndarray, "*batch position"]:
        """Return the codes of numbered architectures; the inverse of `index`.

        Args:
            index: Shape (…).

        Returns:
            Shape (…, position).
        """
        found = np.asarray(index, np.int64)[..., None] // self._weights
        return found % np.array(self.radix)


class Measurement(NamedTuple):
    """The results of training some architectures; shape (item,) each.

    Args:
        signal: What a search may see: validation accuracy, from 0 to 1; NaN where
            the training failed.
        score: What it is judged by: test accuracy, from 0 to 1.
        cost: Cost of the training, in the evaluator's unit.
    """

    signal: Float[np.ndarray, " item"]
    score: Float[np.ndarray, " item"]
    cost: Float[np.ndarray, " item"]


class Evaluator(ABC):
    """Trains architectures of a space on some tasks, or looks up recorded results.

    Attributes:
        space: The whole space.
        tasks: Names of the tasks.
        fidelities: The allowed lengths of a training, ascending, in
            `fidelity_unit`.
        fidelity_unit: Unit of the fidelities, such as epochs.
        cost_unit: Unit of a training's cost.
        properties: Names of what may be capped, such as latency, with their units.
        features: A description of each task, if known; shape (task, feature).
    """

    space: Space
    tasks: tuple[str, ...]
    fidelities: tuple[float, ...]
    fidelity_unit: str
    cost_unit: str
    properties: dict[str, str]
    features: Float[np.ndarray, "task feature"] | None = None

    @abstractmethod
    def measure(
        self,
        which: Int[np.ndarray, " item"],
        codes: Int[np.ndarray, "item position"],
        fidelity: Int[np.ndarray, " item"],
        uniform: Float[np.ndarray, " item"],
    ) -> Measurement:
        """Train architectures.

        Args:
            which: Task of each item, as a position in `tasks`; shape (item,).
            codes: The architectures; shape (item, position).
            fidelity: Position in `fidelities` of each item; shape (item,).
            uniform: In [0, 1); it selects the seed of each training; shape (item,).

        Returns:
            Signal, score and cost of each item.
        """

    @abstractmethod
    def property(
        self,
        name: str,
        which: Int[np.ndarray, " item"],
        codes: Int[np.ndarray, "item position"],
    ) -> Float[np.ndarray, " item"]:
        """Return a property of architectures.

        Args:
            name: One of `properties`.
            which: Task of each item; shape (item,).
            codes: The architectures; shape (item, position).

        Returns:
            In the property's unit, NaN where unknown; shape (item,).
        """

    def cheapest(self, which: int, fidelity: int) -> float:
        """Return a lower bound on the cost of any training; 0 where unknown."""
        return 0.0

    def scores(self, which: int) -> Float[np.ndarray, " architecture"] | None:
        """Return the score of every architecture of a task, by `Space.index`.

        NaN where the space lacks that architecture. None where scores are only known
        after training.
        """
        return None
