"""An evaluator that looks up results in a table of trained architectures."""

from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from engine.data.sources.architecture_table import ArchitectureTable
from engine.protocol import Evaluator, Measurement, Space


class TableEvaluator(Evaluator):
    """Looks up results; architectures that the table lacks count as failed."""

    def __init__(self, table: ArchitectureTable) -> None:
        self.table = table
        self.space = Space(table.name, table.positions, table.options, table.edges)
        self.tasks, self.fidelities = table.tasks, table.fidelities
        self.fidelity_unit, self.cost_unit = table.fidelity_unit, table.cost_unit
        self.properties = dict(table.units)
        self.features = table.features

    def measure(
        self,
        which: Int[np.ndarray, " item"],
        codes: Int[np.ndarray, "item position"],
        fidelity: Int[np.ndarray, " item"],
        uniform: Float[np.ndarray, " item"],
    ) -> Measurement:
        """Look up one seed of each training."""
        row = self._table_row(codes)
        seeds = self.table.signal.shape[3]
        seed = np.floor(uniform * seeds).astype(np.int64)
        absent = row < 0
        signal = self.table.signal[row, which, fidelity, seed].astype(float)
        score = self.table.score[row, which].astype(float)
        cost = self.table.cost[row, which, fidelity].astype(float)
        signal[absent], score[absent], cost[absent] = np.nan, np.nan, 0.0
        return Measurement(signal, score, cost)

    def property(
        self,
        name: str,
        which: Int[np.ndarray, " item"],
        codes: Int[np.ndarray, "item position"],
    ) -> Float[np.ndarray, " item"]:
        """Look up a property."""
        row = self._table_row(codes)
        found = self.table.properties[name][row, which].astype(float)
        return np.where(row < 0, np.nan, found)

    def cheapest(self, which: int, fidelity: int) -> float:
        """Return the lowest price in the table."""
        return float(np.nanmin(self.table.cost[:, which, fidelity]))

    def scores(self, which: int) -> Float[np.ndarray, " architecture"]:
        """Return a task's scores by mixed-radix index, NaN where there is none."""
        return self._scores[which]

    @cached_property
    def _scores(self) -> Float[np.ndarray, "task architecture"]:
        rows = self.table.rows
        found = self.table.score.T[:, rows].astype(float)
        return np.where(rows < 0, np.nan, found)

    def _table_row(
        self, codes: Int[np.ndarray, "item position"]
    ) -> Int[np.ndarray, " item"]:
        return self.table.rows[self.space.index(codes)]
