"""Tables of trained architectures: accuracy and cost of each, on each task.

The same class holds Mosaic, published benchmarks, and the user's own tables.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np


@dataclass(frozen=True)
class ArchitectureTable:
    """Architectures of one space, trained on some tasks.

    Args:
        name: Name of the search space.
        positions: Names of the decisions.
        options: Names of each decision's options; one tuple per position.
        codes: Index of the option at each position; uint8, shape (architecture,
            position).
        tasks: Names of the tasks, such as data sets.
        fidelities: Lengths of training, in `fidelity_unit`, ascending.
        signal: Validation accuracy, share; what a search may see;
            float32, shape (architecture, task, fidelity, seed), NaN where a
            training failed.
        score: Test accuracy at the last fidelity, share, mean over seeds; what a
            search is evaluated by; float32, shape (architecture, task).
        cost: Cost of a training up to each fidelity, in `cost_unit`;
            float32, shape (architecture, task, fidelity).
        properties: Other quantities to minimize or cap, by name, such as
            "parameters"; float32, shape (architecture, task) each.
        units: Unit of each property.
        edges: Start and end node of each position, where positions are the edges of
            a cell; empty otherwise.
        features: Meta-features of the tasks; float32, shape (task, feature).
        feature_names: Their names.
        fidelity_unit: Unit of the fidelities.
        cost_unit: Unit of the cost.
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
        """The number of architectures in the table."""
        return len(self.codes)

    @property
    def radix(self) -> tuple[int, ...]:
        """The number of options at each position."""
        return tuple(len(names) for names in self.options)

    @cached_property
    def rows(self) -> np.ndarray:
        """The row of every code, in mixed-radix order; −1 where the table has none."""
        rows = np.full(int(np.prod(self.radix)), -1, np.int64)
        rows[np.ravel_multi_index(tuple(self.codes.T), self.radix)] = range(self.count)
        return rows
