"""Phrases for claims that the verdicts of all kinds of task share."""

from collections.abc import Sequence

from engine.contract.learner_appearance import name_in_words
from engine.stats.learner_claims import BETTER, CALLS, CANT_TELL, WORSE, Call, Claim
from engine.stats.verdicts.wording import conjugate_be, format_count, join_words

SPELLED_OUT = 3  # shifts and families named one by one; more are only counted


def phrase_call(call: Call, other: str) -> str:
    """Return a claim's call as a phrase about the learner and others.

    >>> phrase_call("worse", "tuned SGD"), phrase_call("equal", "SGD and Adam")
    ('tuned SGD is better', 'equal to SGD and Adam')
    """
    if call == WORSE:
        return f"{other} {conjugate_be(other)} better"
    if call == CANT_TELL:
        return f"{call} against {other}"
    return f"{call} {'than' if call == BETTER else 'to'} {other}"


def phrase_groups(named: Sequence[tuple[str, Call]]) -> list[str]:
    """Return one phrase per call, joining all others that have this call."""
    groups = {call: [name for name, of in named if of == call] for call in CALLS}
    return [
        phrase_call(call, join_words(group)) for call, group in groups.items() if group
    ]


def describe_elsewhere(
    claims: Sequence[Claim], rival: str, sizes: frozenset[str] = frozenset()
) -> str:
    """Compare a learner with its rival under every other condition, in sentences.

    Args:
        claims: About one learner and one rival.
        rival: The rival's name.
        sizes: Shifts that only change a count, such as shots.
    """
    places: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        place = (claim.condition.family, claim.condition.shift)
        places.setdefault(place, []).append(claim)
    if len(places) > SPELLED_OUT:
        return _tally_calls(claims, rival)
    told = [
        _phrase_condition(_name_condition(*at, sizes, group), group, rival)
        for at, group in places.items()
    ]
    return " ".join(told)


def _name_condition(
    family: str, shift: str, sizes: frozenset[str], claims: Sequence[Claim]
) -> str:
    if not shift:
        return f"On {name_in_words(family)}"
    one = len(claims) == 1
    if shift in sizes:
        many = "other" if not one else f"{claims[0].condition.severity:g}"
        return f"With {many} {shift}"
    at = f" {claims[0].condition.severity:g}" if one else ""
    return f"Under {name_in_words(shift)}{at}"


def _phrase_condition(where: str, claims: Sequence[Claim], rival: str) -> str:
    if len(claims) == 1:
        return f"{where}: {phrase_call(claims[0].call, rival)}."
    found = [
        f"{phrase_call(call, rival)} at {join_words(_severities(claims, call))}"
        for call in CALLS
        if _severities(claims, call)
    ]
    return f"{where}: {', '.join(found)}."


def _severities(claims: Sequence[Claim], call: Call) -> list[str]:
    return [f"{c.condition.severity:g}" for c in claims if c.call == call]


def _tally_calls(claims: Sequence[Claim], rival: str) -> str:
    counts = [(call, sum(c.call == call for c in claims)) for call in CALLS]
    found = [f"{phrase_call(call, rival)} in {n}" for call, n in counts if n]
    where = format_count(len(claims), "other condition")
    return f"Of {where}: {', '.join(found)}."
