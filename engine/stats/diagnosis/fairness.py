"""Detectors of unfair comparisons: untuned baselines, budgets that differ."""

from collections.abc import Iterator

import numpy as np

from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import (
    PER_STEP,
    BlockTable,
    baseline_learners,
    chosen_learners,
    has_tuning,
    is_tuned,
    tuned_rates,
)
from engine.stats.diagnosis.finding import Finding, describe_rates

UNTUNED = "Untuned baseline"
# Of meta-training's gradients: 64 tasks a rate, which cost less than a third of the
# default training, find rates about as good as 128 tasks do.
ENOUGH = 0.25
SAME = 1e-5  # relative: first losses of one task may differ by rounding only


def untuned_baseline(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """16: the chosen rate is at the edge of the range, or tuning cost too little."""
    paid = _training_gradients(table, spec)
    for baseline in baseline_learners(spec):
        if is_tuned(baseline):
            yield from _tuning_findings(table, baseline, paid)
    # Nearest neighbors, say, have nothing to tune.
    guessed = [b for b in baseline_learners(spec) if has_tuning(b)]
    if chosen_learners(spec) and guessed and not any(map(is_tuned, guessed)):
        yield Finding(
            16,
            UNTUNED,
            guessed[0].label,
            True,
            evidence="No baseline of this run had its rate tuned.",
            remedy="Add a tuned baseline; a win over a guessed rate says little.",
        )


def _training_gradients(table: BlockTable, spec: RunSpec) -> float:
    """Return the most gradients that meta-training cost one replicate."""
    spent = [
        table.number(c.label, "train", "gradient_evaluations")
        for c in chosen_learners(spec)
    ]
    return max((s for s in spent if s is not None), default=0.0)


def _tuning_findings(
    table: BlockTable, baseline: LearnerChoice, paid: float
) -> Iterator[Finding]:
    tried = table.block(baseline.label, "tune", "tuning")
    found = tuned_rates(table, baseline.label)
    if tried is None or found is None:
        return
    rates = tried.coordinates("rate")
    # A stored rate is rounded: it equals an end of the range up to a tolerance.
    low, high = min(rates) * (1 + 1e-6), max(rates) * (1 - 1e-6)
    edge = bool(((found <= low) | (found >= high)).any())
    spent = table.gradients_spent(baseline.label, "tune")
    short = 0 < spent < ENOUGH * paid
    at_edge = ", at the edge" if edge else ""
    cost = (
        f" Tuning took {spent:,} {table.kind.words.spent}, meta-training {paid:,.0f}."
    )
    yield Finding(
        16,
        UNTUNED,
        baseline.label,
        edge or short,
        evidence=f"{describe_rates(found)} of {len(rates)} tried, from "
        f"{min(rates):.3g} to {max(rates):.3g}{at_edge}.{cost if spent else ''}",
        remedy="Widen the range of rates."
        if edge
        else "Tune it with the same budget, or on more tasks.",
    )


def hidden_budget(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """17: learners start from different weights, or take different numbers of steps."""
    starts = [(c.label, _first_losses(table, c)) for c in spec.learners]
    known = {label: start for label, start in starts if start is not None}
    if len(known) < 2:
        return
    spent = {at: table.number(at, "test", "gradient_evaluations") for at in known}
    paid = {at: count for at, count in spent.items() if count is not None}
    told = ", ".join(f"{at} {count:,.0f}" for at, count in paid.items())
    first, *others = known.values()
    gap = max(_largest_gap(first, other) for other in others)
    yield Finding(
        17,
        "Hidden budget",
        next(iter(known)),
        flagged=gap > SAME or len(set(paid.values())) > 1,
        evidence=f"First losses differ by at most {gap:.1g} (relative) between learners"
        f"{'; gradients in the tests: ' + told if told else ''}.",
        remedy="Start all learners from the same weights and count every step.",
    )


def _first_losses(table: BlockTable, learner: LearnerChoice) -> Floats | None:
    loss = table.test_values(learner.label, "loss", axes=PER_STEP)
    return None if loss is None else loss[..., 0]


def _largest_gap(first: Floats, second: Floats) -> float:
    if first.shape != second.shape:
        return float("inf")
    scale = np.maximum(np.abs(first), 1e-12)  # a loss of 0 has no relative difference
    return float(np.nanmax(np.abs(first - second) / scale, initial=0.0))
