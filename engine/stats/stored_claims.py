"""Claims as a run's summary holds them, also as earlier versions wrote them."""

from collections.abc import Mapping
from typing import Any

from engine.contract.events import Condition
from engine.stats.learner_claims import CALLS, CANT_TELL, EQUAL, Call, Claim

_OLD_LEVEL = 0.95  # of every interval of 0.3.0 and earlier


def read_claims(summary: Mapping[str, Any] | None) -> list[Claim]:
    """Return the claims of a summary.

    Summaries of 0.3.0 and earlier marked the main rival at every condition as primary;
    the first such claim answers what is the primary question now.

    Args:
        summary: The summary as JSON; None of an unfinished run.
    """
    filed = (summary or {}).get("claims", [])
    first = next((claim for claim in filed if claim.get("primary")), None)
    return [_read_claim(claim, claim is first) for claim in filed]


def _read_claim(filed: Mapping[str, Any], is_first: bool) -> Claim:
    is_old = "level" not in filed
    numbers = ("difference", "low", "high", "probability_of_improvement")
    # JSON has neither NaN nor infinity: null was one of them.
    known = {name: _number(filed.get(name)) for name in numbers}
    return Claim(
        learner=filed["learner"],
        against=filed["against"],
        condition=Condition(**filed["condition"]),
        metric=filed["metric"],
        level=filed.get("level", _OLD_LEVEL),
        margin=_number(filed.get("margin")),
        call=_read_call(filed),
        primary=is_first if is_old else filed["primary"],
        decisive=filed["primary"] if is_old else filed["decisive"],
        n_replicates=filed["n_replicates"],
        n_tasks=filed["n_tasks"],
        over=filed.get("over", "replicates"),
        diverged=tuple(filed.get("diverged", (0, 0))),
        by_divergence=filed.get("by_divergence", False),
        more_replicates=filed.get("more_replicates"),
        **known,
    )


def _read_call(filed: Mapping[str, Any]) -> Call:
    """Return the call; "no difference" of 0.3.0 only meant that nothing was certain."""
    found = next((call for call in CALLS if call == filed["call"]), None)
    return found or (EQUAL if filed.get("equivalent") else CANT_TELL)


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)
