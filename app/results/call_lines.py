"""The calls of a run in plain words: a headline, and at most three short lines.

Numbers stand in the tab Evidence; here is only what answers two questions: does it help
here and elsewhere, and how sure is that.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from app.client.client import Run
from engine.contract.learner_appearance import name_in_words
from engine.stats.block_table import IN_DISTRIBUTION
from engine.stats.family_names import family_title
from engine.stats.learner_claims import CALLS, Claim, primary_claim
from engine.stats.stored_claims import read_claims
from engine.stats.verdicts.claim_words import (
    format_difference,
    format_none,
    format_percent,
    format_sample,
    has_interval,
    phrase_calls,
)
from engine.stats.verdicts.comparisons import describe_stop
from engine.stats.verdicts.wording import (
    capitalize_first,
    join_words,
    learner_names,
    name_of,
)
from engine.stats.verdicts.writer import headline_of

EARLIER = (
    "Computed by an earlier version, whose claims were each tested at 95 %: run it "
    "again for today's tests."
)
PLACES = 3  # shifts and families that are named; more are only counted
RIVALS = 4  # the same of rivals


def headline_and_notes(run: Run, titles: Mapping[str, str]) -> tuple[str, list[str]]:
    """Return a summary's headline and notes; of 0.3.0 today's headline of its claims.

    Args:
        run: A run with a summary.
        titles: Titles of parts, by name.
    """
    summary = run.summary or {}
    if "headline" in summary:
        return str(summary["headline"]), [str(note) for note in summary["notes"]]
    again = headline_of(run.table, run.spec, read_claims(summary), titles)
    if again:
        return again, [EARLIER]
    first, stop, _ = str(summary.get("sentence", "")).partition(". ")
    return first + stop.rstrip(), [EARLIER]


def call_lines(run: Run, titles: Mapping[str, str]) -> list[str]:
    """Return the lines below the headline, as plain text; none without a comparison.

    Args:
        run: A run with a summary.
        titles: Titles of parts, by name.
    """
    every, names = run.claims, learner_names(run.spec, titles)
    primary = primary_claim(every)
    if primary is None:
        return []
    deciding = [claim for claim in every if claim.metric == primary.metric]
    lines = (
        _others_here(deciding, names),
        _elsewhere(run, primary, deciding),
        _how_sure(run, primary),
    )
    return [line for line in lines if line]


def _others_here(claims: Sequence[Claim], names: Mapping[str, str]) -> str:
    """Return the other comparisons in distribution; counted where they are many."""
    here = [c for c in claims if c.condition == IN_DISTRIBUTION and not c.primary]
    if len(here) > RIVALS:
        return f"{len(here)} more comparisons here: {_tally(here)}."
    learners = dict.fromkeys(claim.learner for claim in here)
    told = [
        phrase_calls(
            name_of(names, learner),
            [(name_of(names, c.against), c.call) for c in here if c.learner == learner],
        )
        for learner in learners
    ]
    return " ".join(capitalize_first(sentence) for sentence in told)


def _elsewhere(run: Run, primary: Claim, claims: Sequence[Claim]) -> str:
    """Return how the primary question is answered under every other condition."""
    places: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        same = (claim.learner, claim.against) == (primary.learner, primary.against)
        if same and claim.condition != IN_DISTRIBUTION:
            at = claim.condition
            places.setdefault((at.shift, "" if at.shift else at.family), []).append(
                claim
            )
    if not places:
        return ""
    every = [claim for group in places.values() for claim in group]
    if len(places) > 1 and len({claim.call for claim in every}) == 1:
        conditions = f"all {len(every)} other conditions"
        return f"The same pair elsewhere: {every[0].call} under {conditions}."
    if len(places) > PLACES:
        return f"The same pair under {len(every)} other conditions: {_tally(every)}."
    told = [_describe_place(run, group) for group in places.values()]
    return f"The same pair elsewhere: {'; '.join(told)}."


def _describe_place(run: Run, group: Sequence[Claim]) -> str:
    """Return the calls of one shift, or of one family."""
    at = group[0].condition
    if not at.shift:
        return f"{group[0].call} on {family_title(run.spec, at.family)}"
    word = name_in_words(at.shift)
    by_call = {call: [c for c in group if c.call == call] for call in CALLS}
    found = {call: held for call, held in by_call.items() if held}
    if len(found) == 1 and len(group) > 1:
        count = "both" if len(group) == 2 else f"all {len(group)}"
        return f"{group[0].call} at {count} severities of {word}"
    every = [claim.condition.severity for claim in group]
    told = [
        f"{call} at {_join_severities([c.condition.severity for c in held], every)}"
        for call, held in found.items()
    ]
    return f"under {word} {', '.join(told)}"


def _join_severities(levels: Sequence[float], every: Sequence[float]) -> str:
    """Return severities as text; neighbors among all tested ones as a range."""
    inside = [s for s in every if min(levels) <= s <= max(levels)]
    if len(levels) > 2 and len(inside) == len(levels):
        return f"{min(levels):g} to {max(levels):g}"
    return join_words([f"{level:g}" for level in sorted(levels)])


def _tally(claims: Sequence[Claim]) -> str:
    counts = [(call, sum(c.call == call for c in claims)) for call in CALLS]
    return ", ".join(f"{call} in {n}" for call, n in counts if n)


def _how_sure(run: Run, claim: Claim) -> str:
    return " ".join(filter(None, _reasons(run, claim)))


def _reasons(run: Run, claim: Claim) -> Iterator[str]:
    """Yield the difference with its interval, what was lost, and when the run ended."""
    sample = format_sample(claim, run.kind.words.tests)
    if has_interval(claim):
        level = format_percent(claim.level)
        rule = run.table.criterion
        gap = format_difference(claim, rule)
        if rule.unit == "ln":  # a difference of logs says little; their ratio does
            gap += f" (the loss is × {math.exp(claim.difference):.2f})"
        yield (
            f"How sure: {rule.called} differs by {gap}, {level} interval over "
            f"{sample}; {'more' if rule.share else 'less'} is better."
        )
    else:
        yield f"Measured on {sample}, without an interval."
    mine, other = claim.diverged
    if mine or other:
        yield f"{format_none(mine).capitalize()} against {format_none(other)} diverged."
    yield describe_stop(run.spec, claim, run.replicates)
