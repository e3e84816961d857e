"""A table of trained architectures as what a search asks: it looks up, at no cost."""

from functools import cached_property

import numpy as np

from engine.data.sources.architecture_table import ArchitectureTable
from engine.protocol import Evaluator, Measurement, Space

Numbers = np.ndarray


class TableEvaluator(Evaluator):
    """Answers from a table; codes that it lacks count as failed trainings."""

    def __init__(self, table: ArchitectureTable) -> None:
        self.table = table
        self.space = Space(table.name, table.positions, table.options, table.edges)
        self.tasks, self.fidelities = table.tasks, table.fidelities
        self.fidelity_unit, self.cost_unit = table.fidelity_unit, table.cost_unit
        self.properties = dict(table.units)
        self.features = table.features

    def measure(
        self, which: Numbers, codes: Numbers, fidelity: Numbers, uniform: Numbers
    ) -> Measurement:
        """Look up one of the seeds of each training."""
        row = self._table_row(codes)
        seeds = self.table.signal.shape[3]
        seed = np.floor(uniform * seeds).astype(np.int64)
        absent = row < 0
        signal = self.table.signal[row, which, fidelity, seed].astype(float)
        score = self.table.score[row, which].astype(float)
        cost = self.table.cost[row, which, fidelity].astype(float)
        signal[absent], score[absent], cost[absent] = np.nan, np.nan, 0.0
        return Measurement(signal, score, cost)

    def property(self, name: str, which: Numbers, codes: Numbers) -> Numbers:
        """Look up a property."""
        row = self._table_row(codes)
        found = self.table.properties[name][row, which].astype(float)
        return np.where(row < 0, np.nan, found)

    def cheapest(self, which: int, fidelity: int) -> float:
        """Return the lowest price in the table."""
        return float(np.nanmin(self.table.cost[:, which, fidelity]))

    def scores(self, which: int) -> Numbers:
        """Return a task's scores by mixed-radix index, NaN where there is none."""
        return self._scores[which]

    @cached_property
    def _scores(self) -> Numbers:
        rows = self.table.rows
        found = self.table.score.T[:, rows].astype(float)
        return np.where(rows < 0, np.nan, found)

    def _table_row(self, codes: Numbers) -> Numbers:
        return self.table.rows[self.space.index(codes)]
