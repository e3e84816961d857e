"""Claims as phrases: what sentences about every kind of tasks share."""

from collections.abc import Sequence

from engine.contract.appearance import name_in_words
from engine.stats.claims import Call, Claim
from engine.stats.verdicts.wording import be, counted, listed

SPELLED_OUT = 3  # places of a shift or family that a sentence names one by one
ORDER: tuple[Call, ...] = ("better", "no difference", "worse")


def phrase(call: Call, other: str) -> str:
    """Say what a call means beside others.

    >>> phrase("worse", "tuned SGD"), phrase("no difference", "SGD and Adam")
    ('tuned SGD is better', 'no difference from SGD and Adam')
    """
    if call == "worse":
        return f"{other} {be(other)} better"
    return f"{call} {'than' if call == 'better' else 'from'} {other}"


def grouped(named: Sequence[tuple[str, Call]]) -> list[str]:
    """Say of several others, call by call, how one learner stands beside them."""
    groups = {call: [name for name, of in named if of == call] for call in ORDER}
    return [phrase(call, listed(group)) for call, group in groups.items() if group]


def away(
    claims: Sequence[Claim], rival: str, sizes: frozenset[str] = frozenset()
) -> str:
    """Say how a learner stands beside its rival under every other condition.

    Args:
        claims: About one learner and one rival.
        rival: What that one is called.
        sizes: Shifts that only change a count, such as shots.
    """
    places: dict[tuple[str, str], list[Claim]] = {}
    for claim in claims:
        place = (claim.condition.family, claim.condition.shift)
        places.setdefault(place, []).append(claim)
    if len(places) > SPELLED_OUT:
        return _tallied(claims, rival)
    told = [
        _place(_where(*at, sizes, group), group, rival) for at, group in places.items()
    ]
    return " ".join(told)


def _where(
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


def _place(where: str, claims: Sequence[Claim], rival: str) -> str:
    if len(claims) == 1:
        return f"{where}: {phrase(claims[0].call, rival)}."
    found = [
        f"{phrase(call, rival)} at {listed(_severities(claims, call))}"
        for call in ORDER
        if _severities(claims, call)
    ]
    return f"{where}: {', '.join(found)}."


def _severities(claims: Sequence[Claim], call: Call) -> list[str]:
    return [f"{c.condition.severity:g}" for c in claims if c.call == call]


def _tallied(claims: Sequence[Claim], rival: str) -> str:
    counts = [(call, sum(c.call == call for c in claims)) for call in ORDER]
    found = [f"{phrase(call, rival)} in {n}" for call, n in counts if n]
    where = counted(len(claims), "other condition")
    return f"Of {where}: {', '.join(found)}."
