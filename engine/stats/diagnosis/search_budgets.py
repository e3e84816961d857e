"""Detectors of search budgets: spaces too small, budgets too small or hidden."""

from collections.abc import Iterator

import numpy as np

from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.block_table import PER_STEP, BlockTable, is_trained
from engine.stats.diagnosis.finding import Finding
from engine.stats.verdicts.wording import format_number, format_searches, join_words

FEWEST = 10  # trainings of a search, on average


def space_size(table: BlockTable, label: str) -> float:
    """Return the number of architectures of the space, from the share covered."""
    trained, repeated, coverage = (
        table.test_values(label, name) for name in ("trained", "repeated", "coverage")
    )
    if trained is None or repeated is None or coverage is None:
        return 0.0
    seen = trained * (1.0 - repeated)
    return float(np.max(seen / np.where(coverage > 0, coverage, np.inf), initial=0.0))


def nothing_to_search(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """23: the space is so small that a search can train all of it."""
    label = next((c.label for c in spec.learners if space_size(table, c.label)), None)
    if label is None:
        return
    size = round(space_size(table, label))
    regret = table.test_values(label, "regret", axes=PER_STEP)
    steps = spec.budget.horizon if regret is None else regret.shape[-1]
    yield Finding(
        23,
        "Nothing to search",
        label,
        flagged=size <= steps,
        evidence=f"The space has {size:,} architectures, and a search has {steps:,} "
        "evaluations.",
        remedy="Train all of them: no strategy is needed here. Or add decisions to "
        "the space.",
    )


def short_budget(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """26: the budget allows hardly any training, or none.

    If every search trained up to its horizon, the budget was not what limited it.
    """
    for learner in spec.learners:
        trained = table.test_values(learner.label, "trained")
        regret = table.test_values(learner.label, "regret", axes=PER_STEP)
        if trained is None or regret is None or trained.min() >= regret.shape[-1]:
            continue
        none, fewest = int((trained < 1).sum()), int(trained.min())
        yield Finding(
            26,
            "Budget below a training",
            learner.label,
            flagged=none > 0 or float(trained.mean()) < FEWEST,
            evidence=f"{none} of {format_searches(trained.size)} could not pay for a "
            f"single training; a search had {format_number(float(trained.mean()))} "
            f"trainings on average and at least {fewest:,}.",
            remedy="Raise the budget of a search, or make each training cheaper.",
        )


def source_budget(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """17: some strategies had evaluations on source tasks that others had not."""
    before = {c.label: _source_evaluations(table, spec, c) for c in spec.learners}
    if len(spec.learners) < 2 or not any(before.values()):
        return
    each = spec.budget.horizon
    told = join_words([f"{label} {n:,}" for label, n in before.items() if n])
    yield Finding(
        17,
        "Hidden budget",
        next(label for label, n in before.items() if n),
        flagged=False,
        evidence=f"Evaluations on source tasks, per training: {told}; a test search "
        f"has {each:,}, and the other learners had only these.",
        remedy="Count them: the verdict says after how many targets they are paid "
        "back.",
    )


def _source_evaluations(
    table: BlockTable, spec: RunSpec, learner: LearnerChoice
) -> int:
    if not is_trained(table, spec, learner.label):
        return 0
    return sum(
        table.gradients_spent(learner.label, phase) for phase in ("train", "tune")
    )
