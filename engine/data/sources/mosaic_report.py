"""Statistics of an architecture table: spread per task, correlations of ranks."""

from typing import NamedTuple

import numpy as np

from engine.data.sources.architecture_table import ArchitectureTable

# Groups of tasks that count as related; any other pair counts as unrelated.
KIN = (
    ("rings", "four_rings"),
    ("four_arms", "four_arms_tight"),
    ("digits", "digits_low", "digits_high", "glyph_digits", "glyph_letters"),
    ("iris_pairs", "wine_pairs", "cancer_pairs"),
)


class TaskSpread(NamedTuple):
    """The spread of accuracies on one task, as shares.

    Args:
        task: Its name.
        architectures: Standard deviation between architectures, of means over seeds.
        seeds: Standard deviation between seeds, pooled over architectures.
        median: Median test accuracy.
        best: Best test accuracy.
    """

    task: str
    architectures: float
    seeds: float
    median: float
    best: float

    @property
    def ratio(self) -> float:
        """Return the spread between architectures in units of that between seeds."""
        return self.architectures / self.seeds


def task_spreads(table: ArchitectureTable) -> list[TaskSpread]:
    """Return the spread of accuracies on each task, at the last fidelity.

    Args:
        table: With several seeds per training; failed trainings are left out.
    """
    last = table.signal[:, :, -1]
    between = np.nanstd(np.nanmean(last, 2), axis=0, ddof=1)
    within = np.sqrt(np.nanmean(np.nanvar(last, axis=2, ddof=1), axis=0))
    middle, best = np.nanmedian(table.score, 0), np.nanmax(table.score, 0)
    each = zip(table.tasks, between, within, middle, best, strict=True)
    return [TaskSpread(task, *(float(n) for n in numbers)) for task, *numbers in each]


def rank_correlations(table: ArchitectureTable) -> np.ndarray:
    """Return Spearman's ρ between the test accuracies of tasks; shape (task, task)."""
    from scipy.stats import spearmanr  # here, as it takes long to import

    return np.asarray(spearmanr(table.score, nan_policy="omit").statistic)


def related_correlations(table: ArchitectureTable) -> tuple[float, float]:
    """Return the mean ρ of related pairs of tasks, and that of unrelated pairs."""
    # A task outside every group gets a negative number of its own.
    of = {task: family for family, tasks in enumerate(KIN) for task in tasks}
    family = np.array([of.get(t, -1 - i) for i, t in enumerate(table.tasks)])
    upper = np.triu(np.ones((len(family), len(family)), bool), 1)
    near, rho = family[:, None] == family, rank_correlations(table)
    return float(rho[near & upper].mean()), float(rho[~near & upper].mean())
