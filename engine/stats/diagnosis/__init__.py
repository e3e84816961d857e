"""Diagnosis: detectors of known pitfalls, each with its evidence and a remedy.

A detector whose data a run lacks reports nothing: that is not a clean bill of health.
"""

from collections.abc import Callable, Iterator

from engine.contract.run_spec import RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.diagnosis.adaptation import (
    false_second_order,
    few_shot_overfitting,
    few_shot_rate_at_edge,
    few_shot_starvation,
    outer_instability,
    runaway_steps,
    unequal_data,
)
from engine.stats.diagnosis.fairness import hidden_budget, untuned_baseline
from engine.stats.diagnosis.finding import Finding
from engine.stats.diagnosis.meta_test import (
    censored_means,
    changed_frozen_learner,
    divergence,
    saturation,
    short_horizon,
)
from engine.stats.diagnosis.meta_training import (
    exploding_unroll,
    idle_policy,
    meta_overfitting,
    starvation,
)
from engine.stats.diagnosis.probes import (
    degenerate_split,
    impossible_accuracy,
    label_order_shortcut,
    leakage,
    memorization,
    small_batch_statistics,
    transduction,
)
from engine.stats.diagnosis.search import (
    censored_goals,
    lucky_winner,
    negative_transfer,
    policy_collapse,
    trained_on_test_task,
    unlearned_policy,
)
from engine.stats.diagnosis.search_budgets import (
    nothing_to_search,
    short_budget,
    source_budget,
)
from engine.stats.diagnosis.unused_capacity import large_knowledge_base

DETECTORS: tuple[Callable[[BlockTable, RunSpec], Iterator[Finding]], ...] = (
    meta_overfitting,
    few_shot_overfitting,
    memorization,
    leakage,
    transduction,
    small_batch_statistics,
    degenerate_split,
    divergence,
    runaway_steps,
    outer_instability,
    false_second_order,
    exploding_unroll,
    short_horizon,
    saturation,
    idle_policy,
    unlearned_policy,
    policy_collapse,
    untuned_baseline,
    few_shot_rate_at_edge,
    hidden_budget,
    unequal_data,
    source_budget,
    censored_means,
    censored_goals,
    starvation,
    few_shot_starvation,
    changed_frozen_learner,
    impossible_accuracy,
    label_order_shortcut,
    nothing_to_search,
    negative_transfer,
    lucky_winner,
    short_budget,
    large_knowledge_base,
    trained_on_test_task,
)


def diagnose(table: BlockTable, spec: RunSpec) -> list[Finding]:
    """Run every detector.

    Args:
        table: The run's blocks.
        spec: The completed spec.

    Returns:
        Findings in the detectors' order, flagged or not.
    """
    return [finding for look in DETECTORS for finding in look(table, spec)]
