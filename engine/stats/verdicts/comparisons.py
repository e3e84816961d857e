"""Sentences about every comparison of a run; a page shows them as table and chips."""

from collections.abc import Sequence

from engine.contract.learner_appearance import name_in_words
from engine.contract.run_spec import RunSpec
from engine.stats.block_table import IN_DISTRIBUTION
from engine.stats.condition_words import size_shifts
from engine.stats.family_names import family_title
from engine.stats.learner_claims import CALLS, CANT_TELL, Claim
from engine.stats.verdicts.claim_words import (
    count_tests,
    format_difference,
    format_percent,
    format_sample,
    has_interval,
    phrase_calls,
    title_metric,
)
from engine.stats.verdicts.kind_terms import VerdictTerms
from engine.stats.verdicts.verdict_inputs import Evidence
from engine.stats.verdicts.wording import capitalize_first, format_count, join_words

SPELLED_OUT = 3  # shifts and families named one by one; more are only counted


def describe_primary(run: Evidence, terms: VerdictTerms, claim: Claim) -> str:
    """Return both levels, their difference with its interval, and the sample."""
    mine, other = claim.learner, claim.against
    levels = (
        f"{run.names[mine]} {terms.level(run, mine)} against "
        f"{terms.level(run, other)} of {run.names[other]}"
    )
    sample = format_sample(claim, run.tests)
    gap = f"difference {format_difference(claim, run.criterion)}"
    width = f"{format_percent(claim.level)} interval, " if has_interval(claim) else ""
    return f"{title_metric(run.criterion)}: {levels}; {gap} ({width}n = {sample})."


def describe_stop(spec: RunSpec, claim: Claim, present: int) -> str:
    """Return when a run with looks ended; empty where it could not end elsewhere.

    Args:
        spec: The run.
        claim: Its primary claim.
        present: Replicates that were tested; a claim about repetitions counts fewer.
    """
    looks = spec.looks
    if len(looks) < 2:
        return ""
    if claim.call != CANT_TELL:
        return f"Decided after {present} of at most {looks[-1]} replicates."
    if present >= looks[-1]:
        return f"Stopped at its ceiling of {format_count(looks[-1], 'replicate')}."
    return f"Open after {present} of at most {looks[-1]} replicates."


def describe_in_distribution(run: Evidence, label: str) -> str:
    """Compare a learner with all others but in the primary question; may be empty."""
    claims = [
        claim
        for claim in run.deciding_claims(label)
        if claim.condition == IN_DISTRIBUTION and not claim.primary
    ]
    if not claims:
        return ""
    calls = [(run.names[claim.against], claim.call) for claim in claims]
    return capitalize_first(phrase_calls(run.names[label], calls))


def describe_elsewhere(run: Evidence, label: str) -> list[str]:
    """Compare a learner with its main rivals under every other condition."""
    by_rival: dict[str, list[Claim]] = {}
    for claim in run.deciding_claims(label):
        if claim.decisive and claim.condition != IN_DISTRIBUTION:
            by_rival.setdefault(claim.against, []).append(claim)
    return [_compare_elsewhere(run, claims) for claims in by_rival.values()]


def _compare_elsewhere(run: Evidence, claims: Sequence[Claim]) -> str:
    """Compare a learner with one rival under every other condition."""
    label = claims[0].learner
    places: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        place = (claim.condition.family, claim.condition.shift)
        places.setdefault(place, []).append(claim)
    pair = f"{run.names[label]} against {run.names[claims[0].against]}"
    if len(places) > SPELLED_OUT:
        where = format_count(len(claims), "other condition")
        return f"{capitalize_first(pair)} in {where}: {_tally_calls(claims)}."
    told = [
        f"{_name_place(run, group)}: {_list_calls(run, group)}"
        for group in places.values()
    ]
    return f"{capitalize_first(pair)}: {'; '.join(told)}."


def _name_place(run: Evidence, claims: Sequence[Claim]) -> str:
    condition = claims[0].condition
    if not condition.shift:
        # A claim holds a family's key; a sentence needs its display name.
        return f"on {family_title(run.spec, condition.family)}"
    many = len(claims) > 1
    if condition.shift in size_shifts(run.spec):
        count = "other" if many else f"{condition.severity:g}"
        return f"with {count} {condition.shift}"
    at = "" if many else f" {condition.severity:g}"
    return f"under {name_in_words(condition.shift)}{at}"


def _list_calls(run: Evidence, claims: Sequence[Claim]) -> str:
    lost = _count_lost(run, claims)
    if len(claims) == 1:
        return f"{claims[0].call}{lost}"
    by_call = {call: [c for c in claims if c.call == call] for call in CALLS}
    told = [
        f"{call} at {join_words([f'{c.condition.severity:g}' for c in group])}"
        for call, group in by_call.items()
        if group
    ]
    return f"{', '.join(told)}{lost}"


def _count_lost(run: Evidence, claims: Sequence[Claim]) -> str:
    """Return the largest loss of tests among conditions; empty if none was lost."""
    worst = max(claims, key=lambda claim: max(claim.diverged))
    mine, other = worst.diverged
    if not mine and not other:
        return ""
    at = f" at {worst.condition.severity:g}" if len(claims) > 1 else ""
    size = count_tests(worst.n_replicates * worst.n_tasks, run.tests)
    return f" ({mine:,} against {other:,} of {size} diverged{at})"


def _tally_calls(claims: Sequence[Claim]) -> str:
    counts = [(call, sum(c.call == call for c in claims)) for call in CALLS]
    return ", ".join(f"{call} in {n}" for call, n in counts if n)
