"""What a table of architectures tells: spreads on each task, ranks between tasks."""

from typing import NamedTuple

import numpy as np
from scipy.stats import spearmanr

from engine.data.sources.architecture_table import ArchitectureTable

# Tasks that a person would call related; every other two are not.
KIN = (
    ("rings", "four_rings"),
    ("four_arms", "four_arms_tight"),
    ("digits", "digits_low", "digits_high", "glyph_digits", "glyph_letters"),
    ("iris_pairs", "wine_pairs", "cancer_pairs"),
)


class TaskSpread(NamedTuple):
    """How much architectures differ on one task, accuracies as shares.

    Args:
        task: Its name.
        architectures: Deviation of the mean over seeds over architectures.
        seeds: Deviation over seeds, pooled over architectures.
        median: Of the test accuracies.
        best: Of the test accuracies.
    """

    task: str
    architectures: float
    seeds: float
    median: float
    best: float

    @property
    def ratio(self) -> float:
        """Return how many times more architectures differ than seeds do."""
        return self.architectures / self.seeds


def task_spreads(table: ArchitectureTable) -> list[TaskSpread]:
    """Return how much architectures differ on each task, at the last fidelity."""
    last = table.signal[:, :, -1]
    between = np.nanstd(np.nanmean(last, 2), axis=0, ddof=1)
    within = np.sqrt(np.nanmean(np.nanvar(last, axis=2, ddof=1), axis=0))
    middle, best = np.nanmedian(table.score, 0), np.nanmax(table.score, 0)
    each = zip(table.tasks, between, within, middle, best, strict=True)
    return [TaskSpread(task, *(float(n) for n in numbers)) for task, *numbers in each]


def rank_correlations(table: ArchitectureTable) -> np.ndarray:
    """Return Spearman's ρ of the test accuracies of any two tasks."""
    return np.asarray(spearmanr(table.score, nan_policy="omit").statistic)


def related_correlations(table: ArchitectureTable) -> tuple[float, float]:
    """Return the mean ρ of two related tasks, and that of two unrelated ones."""
    of = {task: family for family, tasks in enumerate(KIN) for task in tasks}
    family = np.array([of.get(t, -1 - i) for i, t in enumerate(table.tasks)])
    upper = np.triu(np.ones((len(family), len(family)), bool), 1)
    near, rho = family[:, None] == family, rank_correlations(table)
    return float(rho[near & upper].mean()), float(rho[~near & upper].mean())
