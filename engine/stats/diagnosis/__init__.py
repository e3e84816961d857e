"""Diagnosis: detectors of known pitfalls, each with its evidence and a remedy.

A detector whose data a run lacks reports nothing: that is not a clean bill of health.
"""

from collections.abc import Callable, Iterator

from engine.contract.kinds import FEW_SHOT, OPTIMIZATION, RL, SEARCH
from engine.contract.run_spec import RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.diagnosis.adaptation import (
    exploding_first_step,
    false_second_order,
    few_shot_overfitting,
    few_shot_rate_at_edge,
    few_shot_starvation,
    outer_instability,
    runaway_steps,
    unequal_data,
)
from engine.stats.diagnosis.beliefs import (
    collapsed_spread,
    overconfidence,
    single_component,
)
from engine.stats.diagnosis.fairness import hidden_budget, untuned_baseline
from engine.stats.diagnosis.finding import Finding
from engine.stats.diagnosis.held_out import misleading_training_loss
from engine.stats.diagnosis.learning_success import (
    memorized_classes,
    no_better_than_blind,
)
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
from engine.stats.diagnosis.rl import (
    censored_trials,
    collapsed_policy,
    early_end,
    idle_agent,
    impossible_return,
    kept_between_trials,
    uncounted_interactions,
    useless_value,
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
from engine.stats.diagnosis.supports import (
    hidden_targets,
    longer_contexts,
    order_sensitivity,
)
from engine.stats.diagnosis.unused_capacity import large_knowledge_base

Detector = Callable[[BlockTable, RunSpec], Iterator[Finding]]

# By kind, since a detector's words are those of its kind.
DETECTORS: dict[str, tuple[Detector, ...]] = {
    OPTIMIZATION.name: (
        meta_overfitting,
        divergence,
        exploding_unroll,
        short_horizon,
        saturation,
        idle_policy,
        untuned_baseline,
        hidden_budget,
        censored_means,
        misleading_training_loss,
        starvation,
    ),
    FEW_SHOT.name: (
        no_better_than_blind,
        few_shot_overfitting,
        memorization,
        memorized_classes,
        leakage,
        hidden_targets,
        transduction,
        small_batch_statistics,
        degenerate_split,
        exploding_first_step,
        runaway_steps,
        outer_instability,
        false_second_order,
        untuned_baseline,
        few_shot_rate_at_edge,
        unequal_data,
        few_shot_starvation,
        impossible_accuracy,
        label_order_shortcut,
        order_sensitivity,
        longer_contexts,
        overconfidence,
        collapsed_spread,
        single_component,
    ),
    RL.name: (
        idle_agent,
        collapsed_policy,
        useless_value,
        impossible_return,
        kept_between_trials,
        early_end,
        untuned_baseline,
        uncounted_interactions,
        censored_trials,
    ),
    SEARCH.name: (
        unlearned_policy,
        policy_collapse,
        source_budget,
        censored_goals,
        nothing_to_search,
        negative_transfer,
        lucky_winner,
        short_budget,
        large_knowledge_base,
        trained_on_test_task,
    ),
}
OF_EVERY_KIND: tuple[Detector, ...] = (changed_frozen_learner,)


def diagnose(table: BlockTable, spec: RunSpec) -> list[Finding]:
    """Run every detector of the run's kind.

    Args:
        table: The run's blocks.
        spec: The completed spec.

    Returns:
        Findings in the detectors' order, flagged or not.
    """
    looks = (*DETECTORS.get(table.kind.name, ()), *OF_EVERY_KIND)
    return [finding for look in looks for finding in look(table, spec)]
