"""What is filed at the end of a run, as JSON: verdict, claims, table, diagnosis."""

import math
from collections.abc import Iterable, Mapping

from engine.contract.blocks import Block, Condition
from engine.contract.runs import RunSpec
from engine.stats.claims import BESIDE, Claim, make_claims
from engine.stats.detectors.finding import Finding
from engine.stats.diagnosis import diagnose
from engine.stats.intervals import Interval
from engine.stats.level import level
from engine.stats.table import Table, rate_of, threshold_of
from engine.stats.verdict import Speaker

FORMAT = 1
SHOWN = (
    *("final_loss", "best_loss", "area", "final_accuracy", "grad_cv"),
    *("reached", "recovery_steps", "recovered"),
)
PHASES = ("tune", "train", "test")

Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


def summarize(
    blocks: Iterable[Block],
    spec: RunSpec,
    *,
    threshold: float | None = None,
    titles: Mapping[str, str] | None = None,
) -> dict[str, Json]:
    """Summarize a run from its blocks.

    Args:
        blocks: All of the run's blocks, or as many as there are.
        spec: The completed spec.
        threshold: Another threshold than the run's own, nats; then the loss
            traces must be among the blocks.
        titles: What parts are called in the sentence, by part name.

    Returns:
        JSON of format 1; every number is finite or null.

    Raises:
        ValueError: If a threshold is given without loss traces.
    """
    table = Table(blocks)
    if threshold is not None:
        table = table.at_threshold(threshold)
    else:
        threshold = threshold_of(table, spec)
    claims = make_claims(table, spec, threshold)
    found = diagnose(table, spec)
    labels = [learner.label for learner in spec.learners]
    rates = {learner.label: rate_of(table, learner) for learner in spec.learners}
    return {
        "format": FORMAT,
        "threshold": _finite(threshold),
        "sentence": Speaker(table, spec, threshold, titles).verdict(claims),
        "claims": [_claim(claim) for claim in claims],
        "conditions": [_condition(table, labels, c) for c in table.conditions()],
        "ledger": {label: _ledger(table, label) for label in labels},
        "rates": {label: _finite(rate) for label, rate in rates.items() if rate},
        "diagnosis": [_finding(finding) for finding in found],
    }


def _claim(claim: Claim) -> Json:
    plain = {
        name: _finite(value) if isinstance(value, float) else value
        for name, value in vars(claim).items()
        if name != "condition"
    }
    return {**plain, "condition": _where(claim.condition)}


def _condition(table: Table, labels: list[str], condition: Condition) -> Json:
    tested = {label: _learner(table, label, condition) for label in labels}
    return {
        "condition": _where(condition),
        "learners": {label: row for label, row in tested.items() if row},
    }


def _learner(table: Table, label: str, condition: Condition) -> dict[str, Json]:
    row: dict[str, Json] = {}
    for name in SHOWN:
        values = table.tests(label, name, condition)
        if values is not None:
            row[name] = _interval(level(name, values))
    steps = table.tests(label, BESIDE, condition)
    if steps is not None:
        row["rmst"] = _interval(level(BESIDE, steps))
    diverged = table.tests(label, "diverged", condition)
    if diverged is not None:
        row |= {"diverged": int(diverged.sum()), "members": diverged.size}
    return row


def _ledger(table: Table, label: str) -> Json:
    return {phase: table.spent(label, phase) for phase in PHASES}


def _interval(found: Interval) -> Json:
    numbers = {"mean": found.mean, "low": found.low, "high": found.high}
    return {**{k: _finite(v) for k, v in numbers.items()}, "n": found.n}


def _where(condition: Condition) -> Json:
    return {**vars(condition)}


def _finding(finding: Finding) -> Json:
    return finding._asdict()


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
