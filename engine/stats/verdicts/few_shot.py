"""The terms of the verdict on few-shot tasks.

Levels are accuracies or mean squared errors, with the interval over trainings; of a
single training with the interval over its episodes that papers use; the text says so.
"""

from collections.abc import Sequence

from engine.contract.kinds import FEW_SHOT
from engine.contract.run_spec import LearnerChoice
from engine.stats.condition_words import describe_condition, size_shifts
from engine.stats.inference.episode_and_training_spread import compute_spread
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.kind_terms import TERMS, VerdictTerms
from engine.stats.verdicts.verdict_inputs import Evidence, better_first, signed_gap
from engine.stats.verdicts.wording import format_count, join_words, sentence_names

SINGLE = (
    "One training: these intervals are over its episodes only; how much another "
    "training would differ is unknown."
)


def _opening_sentence(run: Evidence) -> str:
    knobs, (trainings, episodes) = run.spec.family.knobs, run.shape()
    ways = [f"{knobs['ways']}-way"] if run.criterion.share and "ways" in knobs else []
    shots = [f"{knobs['shots']}-shot"] if "shots" in knobs else []
    sizes = (
        f"n = {format_count(trainings, 'training')} × "
        f"{format_count(episodes, 'episode')}"
    )
    told = "; ".join(part for part in (" ".join([*ways, *shots]), sizes) if part)
    return f"On unseen {run.family} ({told})"


def _list_levels(run: Evidence, learners: Sequence[LearnerChoice]) -> str:
    labels = run.tested_labels(learners)
    return join_words(
        [f"{run.names[at]} {_unit(run)}{_format_level(run, at)}" for at in labels]
    )


def _describe_levels(run: Evidence, claim: Claim) -> str:
    levels = _both_levels(run, claim.learner, claim.against)
    return f"{run.names[claim.learner]} {levels} of {run.names[claim.against]}."


def _facts(run: Evidence, claim: Claim) -> list[str]:
    ahead, behind = better_first(claim)
    mine, other = run.divergence_counts(ahead, behind)
    size = run.shape().replicates * run.shape().tasks
    lost = [f"diverged {mine} against {other} of {size:,}"] if mine or other else []
    return [_both_levels(run, ahead, behind), _format_gap(run, claim), *lost]


def _both_levels(run: Evidence, first: str, second: str) -> str:
    return (
        f"{_unit(run)}{_format_level(run, first)} against {_format_level(run, second)}"
    )


def _format_level(run: Evidence, label: str) -> str:
    """Write a learner's level in distribution with its interval."""
    errors = run.deciding_values(label)
    if errors is None:
        return "not tested"
    # Readers expect accuracies; claims compare errors, where less is better.
    rows = 1.0 - errors if run.criterion.share else errors
    found = metric_interval(
        run.criterion.reported if run.criterion.share else run.criterion.deciding, rows
    )
    text = f"{_format_number(run, found.mean)}{' %' if run.criterion.share else ''}"
    if found.n > 1:
        return (
            f"{text} [{_format_number(run, found.low)}, "
            f"{_format_number(run, found.high)}]"
        )
    return (
        f"{text} ± {_format_number(run, compute_spread(rows).half)}"
        if _is_single_training(run)
        else text
    )


def _format_gap(run: Evidence, claim: Claim) -> str:
    found = signed_gap(claim)
    ends = (
        f"{_format_number(run, found.low)}, {_format_number(run, found.high)}".replace(
            "-", "−"
        )
    )
    unit = " points" if run.criterion.share else ""
    return f"{_format_number(run, found.mean)}{unit} [{ends}] apart"


def _format_number(run: Evidence, value: float) -> str:
    return f"{100 * value:.1f}" if run.criterion.share else f"{value:.3g}"


def _unit(run: Evidence) -> str:
    return "" if run.criterion.share else "MSE "


def _is_single_training(run: Evidence) -> bool:
    return run.shape().replicates == 1 < run.shape().tasks


def _closing_sentences(run: Evidence) -> list[str]:
    return [*_not_applicable(run), *([SINGLE] if _is_single_training(run) else [])]


def _not_applicable(run: Evidence) -> list[str]:
    """Name the conditions that some learners could not be tested under."""
    missing: dict[str, list[str]] = {}
    labels = run.tested_labels(run.spec.learners)
    for condition in run.table.conditions():
        lacking = [
            run.names[at] for at in labels if run.deciding_values(at, condition) is None
        ]
        if lacking and len(lacking) < len(run.spec.learners):
            at = describe_condition(condition, size_shifts(run.spec))
            missing.setdefault(join_words(lacking), []).append(at)
    return [
        f"Not applicable to {names}: {join_words(places)}."
        for names, places in missing.items()
    ]


TERMS[FEW_SHOT.name] = VerdictTerms(
    sample="episode",
    names=sentence_names,
    head=_opening_sentence,
    levels=_list_levels,
    description=_describe_levels,
    facts=_facts,
    ending=_closing_sentences,
)
