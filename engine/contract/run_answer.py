"""The answer of a finished run: the claim on its primary question, and both means."""

from collections.abc import Mapping
from typing import Any, NamedTuple

_CALLS = ("better", "worse", "equal", "can't tell yet")


class Answer(NamedTuple):
    """What a run says on its primary question; numbers are None where there are none.

    Args:
        learner: Label of the chosen learner.
        against: Label of its rival.
        metric: What was compared.
        call: better, worse, equal or can't tell yet.
        value: The learner's mean.
        difference: Its difference from the rival's.
        low: Lower end of the interval of the difference.
        high: Upper end.
        level: Confidence of the interval.
        n_replicates: Replicates.
        n_tasks: Tasks per replicate.
        rival_value: The rival's mean.
    """

    learner: str
    against: str
    metric: str
    call: str
    value: float | None
    difference: float | None
    low: float | None
    high: float | None
    level: float | None
    n_replicates: int
    n_tasks: int
    rival_value: float | None = None


def find_answer(summary: Mapping[str, Any]) -> Answer | None:
    """Return the answer to a run's primary question from its summary; None if none."""
    claims = summary.get("claims", [])
    claim = next((each for each in claims if each.get("primary")), None)
    if claim is None:
        return None
    tested = condition_rows(summary, claim["condition"])
    found = {name: claim.get(name) for name in Answer._fields}
    found["call"] = _read_call(claim)
    for name, label in (("value", claim["learner"]), ("rival_value", claim["against"])):
        found[name] = tested.get(label, {}).get(claim["metric"], {}).get("mean")
    return Answer(**found)


def condition_rows(
    summary: Mapping[str, Any], condition: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Return the scores of every learner under one condition, by label."""
    tested = summary.get("conditions", [])
    here = (each["learners"] for each in tested if each["condition"] == condition)
    return dict(next(here, {}))


def _read_call(claim: Mapping[str, Any]) -> str:
    """Return the call; "no difference" of 0.3.0 only meant that nothing was certain."""
    if claim["call"] in _CALLS:
        return str(claim["call"])
    return "equal" if claim.get("equivalent") else "can't tell yet"
