"""Tables of trained architectures: what each scored, task by task, and its price.

One form for every table: the one that this project computes, a published one, and
the one that a person brings.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class ArchitectureTable:
    """Architectures of one space, trained on some tasks.

    Args:
        name: Of the space.
        positions: Names of the decisions.
        options: Names of each decision's options; one tuple per position.
        codes: Option taken at each position; uint8, shape (architecture, position).
        tasks: Names of the tasks, such as data sets.
        fidelities: How long was trained, in `fidelity_unit`, ascending.
        signal: Validation accuracy, share; what a search may see;
            float32, shape (architecture, task, fidelity, seed), NaN where a
            training failed.
        score: Test accuracy at the last fidelity, share, mean over seeds; what a
            search is judged by; float32, shape (architecture, task).
        cost: Price of a training up to each fidelity, in `cost_unit`;
            float32, shape (architecture, task, fidelity).
        properties: Other things to be had cheaply or capped, by name, such as
            "parameters"; float32, shape (architecture, task) each.
        units: Unit of each property.
        edges: From which node to which each position leads, where the positions are
            the edges of a cell; empty where they are a list of decisions.
        features: Numbers that describe a task; float32, shape (task, feature).
        feature_names: What these are.
    """

    name: str
    positions: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    codes: np.ndarray
    tasks: tuple[str, ...]
    fidelities: tuple[float, ...]
    signal: np.ndarray
    score: np.ndarray
    cost: np.ndarray
    properties: dict[str, np.ndarray] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    edges: tuple[tuple[int, int], ...] = ()
    features: np.ndarray | None = None
    feature_names: tuple[str, ...] = ()
    fidelity_unit: str = "epochs"
    cost_unit: str = "s"

    @property
    def count(self) -> int:
        """How many architectures the table has."""
        return len(self.codes)

    @property
    def radix(self) -> tuple[int, ...]:
        """How many options each position has."""
        return tuple(len(names) for names in self.options)

    @cached_property
    def rows(self) -> np.ndarray:
        """Return the row of every code in mixed-radix order; −1 where it is absent."""
        rows = np.full(int(np.prod(self.radix)), -1, np.int64)
        rows[np.ravel_multi_index(tuple(self.codes.T), self.radix)] = range(self.count)
        return rows
