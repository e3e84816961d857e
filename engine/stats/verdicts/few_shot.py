"""The terms of the verdict on few-shot tasks.

Levels are accuracies or mean squared errors, with the interval over trainings; of a
single training with the interval over its episodes that papers use.
"""

from engine.contract.kinds import FEW_SHOT
from engine.stats.block_table import has_constant_spread
from engine.stats.condition_words import describe_condition
from engine.stats.inference.episode_and_training_spread import compute_spread
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.claim_words import format_decimal
from engine.stats.verdicts.kind_terms import (
    TERMS,
    VerdictTerms,
    format_level,
    name_metric,
)
from engine.stats.verdicts.verdict_inputs import Evidence
from engine.stats.verdicts.wording import join_words


def _name_metric(run: Evidence, name: str) -> str:
    if name != run.criterion.deciding:
        return name_metric(run, name)
    return "accuracy" if run.criterion.share else "squared error"


def _format_level(run: Evidence, label: str) -> str:
    """Write a learner's level in distribution with its interval."""
    errors = run.deciding_values(label)
    trainings, episodes = run.shape()
    lost, _ = run.count_lost(label)
    if errors is None or lost or not trainings == 1 < episodes:
        return format_level(run, label)
    spread = compute_spread(errors)
    share, places = run.criterion.share, 1 if run.criterion.share else 3
    mean = 100 * (1 - spread.mean) if share else spread.mean
    half = 100 * spread.half if share else spread.half
    return f"{format_decimal(mean, places)} ± {format_decimal(half, places)}"


def _notes(run: Evidence, claim: Claim) -> list[str]:
    """Return the sizes of the tasks, and whose density is not its own."""
    return [*_sizes(run), *_constant_spreads(run, claim)]


def _constant_spreads(run: Evidence, claim: Claim) -> list[str]:
    """Say which of both learners only predict values, so that a density was given."""
    lacking = [
        run.names[label]
        for label in (claim.learner, claim.against)
        if has_constant_spread(run.table, label)
    ]
    if not lacking:
        return []
    return [
        f"The log-likelihood of {join_words(lacking)} is that of a constant spread, "
        "from validation."
    ]


def _sizes(run: Evidence) -> list[str]:
    knobs = run.spec.family.knobs
    ways = [f"{knobs['ways']}-way"] if run.criterion.share and "ways" in knobs else []
    shots = [f"{knobs['shots']}-shot"] if "shots" in knobs else []
    return [f"Tasks are {' '.join(sizes)}."] if (sizes := [*ways, *shots]) else []


def _not_applicable(run: Evidence) -> list[str]:
    """Name the conditions that some learners could not be tested under."""
    missing: dict[str, list[str]] = {}
    labels = run.tested_labels(run.spec.learners)
    for condition in run.table.conditions():
        lacking = [
            run.names[at] for at in labels if run.deciding_values(at, condition) is None
        ]
        if lacking and len(lacking) < len(run.spec.learners):
            at = describe_condition(condition, run.spec)
            missing.setdefault(join_words(lacking), []).append(at)
    return [
        f"Not applicable to {names}: {join_words(places)}."
        for names, places in missing.items()
    ]


TERMS[FEW_SHOT.name] = VerdictTerms(
    metric=_name_metric, level=_format_level, notes=_notes, ending=_not_applicable
)
