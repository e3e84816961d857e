"""Diagnosis: every detector that has its data in this run, with its remedy.

A detector without its data says nothing: silence is not health.
"""

from collections.abc import Callable, Iterator

from engine.contract.runs import RunSpec
from engine.stats.block_table import Table
from engine.stats.diagnosis.adaptation import (
    false_second_order,
    outer_instability,
    overfitted_lessons,
    runaway_steps,
    starved_lessons,
    tuned_few_shot,
    unequal_data,
)
from engine.stats.diagnosis.fairness import hidden_budget, untuned
from engine.stats.diagnosis.finding import Finding
from engine.stats.diagnosis.knowledge_base_size import large_base
from engine.stats.diagnosis.meta_test import (
    censoring,
    divergence,
    saturation,
    short_horizon,
    thawed,
)
from engine.stats.diagnosis.meta_training import (
    exploding_unroll,
    idle_policy,
    overfitting,
    starvation,
)
from engine.stats.diagnosis.probes import (
    degenerate,
    impossible,
    leakage,
    memorization,
    normalization,
    shortcut,
    transduction,
)
from engine.stats.diagnosis.search import (
    censored_goals,
    collapsed,
    lucky_winner,
    negative_transfer,
    nothing_to_search,
    own_source,
    short_budget,
    spent_before,
    unlearned,
)

DETECTORS: tuple[Callable[[Table, RunSpec], Iterator[Finding]], ...] = (
    *(overfitting, overfitted_lessons, memorization, leakage, transduction),
    *(normalization, degenerate, divergence, runaway_steps, outer_instability),
    *(false_second_order, exploding_unroll, short_horizon, saturation),
    *(
        idle_policy,
        unlearned,
        collapsed,
        untuned,
        tuned_few_shot,
        hidden_budget,
        unequal_data,
    ),
    *(spent_before, censoring, censored_goals, starvation, starved_lessons, thawed),
    *(impossible, shortcut, nothing_to_search, negative_transfer, lucky_winner),
    *(short_budget, large_base, own_source),
)


def diagnose(table: Table, spec: RunSpec) -> list[Finding]:
    """Run every detector.

    Args:
        table: The run's blocks.
        spec: The completed spec.

    Returns:
        Findings in the detectors' order, flagged or not.
    """
    return [finding for look in DETECTORS for finding in look(table, spec)]
