"""Verdict terms: the words and the notes that differ between kinds of task."""

from collections.abc import Callable
from dataclasses import dataclass

from engine.contract.kinds import ByKind, Criterion
from engine.contract.metrics import metric
from engine.stats.independent_units import drop_repeats, learner_interval
from engine.stats.inference.intervals import Interval
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.claim_words import format_value
from engine.stats.verdicts.verdict_inputs import Evidence
from engine.stats.verdicts.wording import spell_family

DescribeRun = Callable[[Evidence], str]
DescribeLabel = Callable[[Evidence, str], str]
ClaimNotes = Callable[[Evidence, Claim], list[str]]


def name_metric(_: Evidence, name: str) -> str:
    """Return a metric's label within a sentence."""
    return metric(name).label.lower()


def name_place(run: Evidence) -> str:
    """Return the tasks in distribution, such as "on unseen Gaussian mixtures"."""
    return f"on unseen {spell_family(run.spec.family.name, run.titles)}"


def format_level(run: Evidence, label: str) -> str:
    """Return a learner's level in distribution, with its interval.

    Tests that diverged count with a cap, which is no measurement: their mean is "at
    least" what it comes to. An accuracy has no cap, since 0 is its true worst.
    """
    rule, (lost, size) = run.criterion, run.count_lost(label)
    found = _level(run, label)
    if found is None:
        return "not tested"
    if lost and lost == size:
        return "blew up"
    ends = [_convert(rule, end) for end in (found.mean, found.low, found.high)]
    shown = Interval(ends[0], min(ends[1:]), max(ends[1:]), found.n)
    if lost and not rule.share:
        # The interval of numbers that are cut off would be about the cap.
        bound = Interval(shown.mean, float("nan"), float("nan"), found.n)
        return f"at least {format_value(bound, signed=False)}"
    return format_value(shown, signed=False)


def _level(run: Evidence, label: str) -> Interval | None:
    rule = run.criterion
    if rule.pools:
        return learner_interval(run.table, run.spec, label, rule.deciding)
    values = run.deciding_values(label)
    if values is None:
        return None
    return metric_interval(rule.deciding, drop_repeats(values), share=rule.share)


def _convert(rule: Criterion, error: float) -> float:
    # Readers expect accuracies; claims compare errors, where less is better.
    return rule.scale * (1.0 - error if rule.share else error)


def no_notes(_run: Evidence, _claim: Claim) -> list[str]:
    """Add nothing about a claim."""
    return []


def no_ending(_: Evidence) -> list[str]:
    """Add nothing about a run."""
    return []


@dataclass(frozen=True)
class VerdictTerms:
    """What a kind of task contributes to its verdict; the writer adds the rest.

    Args:
        metric: Returns what learners are compared in, such as "held-out loss".
        place: Returns the tasks in distribution, such as "on unseen sinusoids".
        level: Returns a learner's level in distribution with its interval.
        notes: Returns short sentences about a claim of a chosen learner against its
            main rival in distribution.
        ending: Returns the closing sentences, whichever learners were compared.
    """

    metric: DescribeLabel = name_metric
    place: DescribeRun = name_place
    level: DescribeLabel = format_level
    notes: ClaimNotes = no_notes
    ending: Callable[[Evidence], list[str]] = no_ending


TERMS: ByKind[VerdictTerms] = ByKind("engine.stats.verdicts")
