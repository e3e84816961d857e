"""What is filed at the end of a run, as JSON: verdict, claims, table, diagnosis."""

import math
from collections.abc import Iterable, Mapping

from engine.contract.blocks import Block, Condition
from engine.contract.runs import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import Table, rate_of, threshold_of
from engine.stats.claims import Claim, make_claims, vary_freely
from engine.stats.diagnosis import diagnose
from engine.stats.diagnosis.finding import Finding
from engine.stats.equal_learners import shared
from engine.stats.independent_units import freed
from engine.stats.inference.intervals import Interval
from engine.stats.inference.metric_levels import level
from engine.stats.inference.spreads import spread
from engine.stats.inference.survival import restricted_interval
from engine.stats.inference.tail_risk import robustness
from engine.stats.summaries.adaptation_speed import speed_of
from engine.stats.verdicts.writer import write_verdict

FORMAT = 1
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
        JSON of format 1; every number is finite or null. `shared` says what was
        computed once for several labels or families, where there is any.

    Raises:
        ValueError: If a threshold is given without loss traces.
    """
    table = Table(blocks, spec.kind)
    if threshold is not None:
        table = table.at_threshold(threshold)
    else:
        threshold = threshold_of(table, spec)
    claims = make_claims(table, spec, threshold)
    found = diagnose(table, spec)
    sentence = write_verdict(table, spec, claims, threshold=threshold, titles=titles)
    labels = [learner.label for learner in spec.learners]
    rates = {learner.label: rate_of(table, learner) for learner in spec.learners}
    filed: dict[str, Json] = {
        "format": FORMAT,
        "threshold": _finite(threshold),
        "sentence": sentence,
        "claims": [_claim(claim) for claim in claims],
        "conditions": [_condition(table, spec, c) for c in table.conditions()],
        "ledger": {label: _ledger(table, label) for label in labels},
        "rates": {label: _finite(rate) for label, rate in rates.items() if rate},
        "diagnosis": [_finding(finding) for finding in found],
    }
    # Left out where nothing is equal, so that summaries read as they did in 0.3.0.
    return filed | {"shared": [*equal]} if (equal := shared(spec)) else filed


def _claim(claim: Claim) -> Json:
    plain = {
        name: _finite(value) if isinstance(value, float) else value
        for name, value in vars(claim).items()
        if name != "condition"
    }
    return {**plain, "condition": _where(claim.condition)}


def _condition(table: Table, spec: RunSpec, condition: Condition) -> Json:
    labels = [learner.label for learner in spec.learners]
    tested = {label: _learner(table, spec, label, condition) for label in labels}
    return {
        "condition": _where(condition),
        "learners": {label: row for label, row in tested.items() if row},
    }


def _learner(
    table: Table, spec: RunSpec, label: str, condition: Condition
) -> dict[str, Json]:
    row: dict[str, Json] = {}
    rule = table.yardstick
    free = vary_freely(table, spec, (label,))
    for name in rule.shown:
        values = table.tests(label, name, condition)
        if values is not None:
            row[name] = _interval(level(name, _units(values, free)))
    steps = table.tests(label, rule.beside, condition)
    if steps is not None:
        row["rmst"] = _interval(level(rule.beside, _units(steps, free)))
    errors = table.tests(label, rule.deciding, condition)
    if rule.singles and errors is not None:
        row["spread"] = _spread(errors.reshape(1, -1) if free else errors)
        row |= _speed(table, label, condition)
    if rule.pools and errors is not None:
        row |= _steady(_units(errors, free))
    diverged = table.tests(label, "diverged", condition)
    if diverged is not None:
        row |= {"diverged": int(diverged.sum()), "members": diverged.size}
    return row


def _units(values: Floats, free: bool) -> Floats:
    return freed(values, trained=False) if free else values


def _steady(regrets: Floats) -> dict[str, Json]:
    """Return how much searches differ, and how bad the worst tenth of them is."""
    found = robustness(regrets)
    return {"sd": _interval(found.sd), "worst_tenth": _interval(found.worst)}


def _spread(errors: Floats) -> Json:
    """Return both spreads of the error, each by its name."""
    found = spread(errors)._asdict()
    return {k: _finite(v) if isinstance(v, float) else v for k, v in found.items()}


def _speed(table: Table, label: str, condition: Condition) -> dict[str, Json]:
    """Return inner steps to nine tenths of the gain, and how many got any."""
    found = speed_of(table, label, condition)
    if found is None:
        return {}
    steps = _interval(restricted_interval(found.step))
    return {"adaptation_steps": steps, "gained": int(found.reached.sum())}


def _ledger(table: Table, label: str) -> Json:
    spent: dict[str, Json] = {phase: table.spent(label, phase) for phase in PHASES}
    seen = table.number(label, "train", "examples_seen")
    return spent if seen is None else spent | {"examples": round(seen)}


def _interval(found: Interval) -> Json:
    numbers = {"mean": found.mean, "low": found.low, "high": found.high}
    return {**{k: _finite(v) for k, v in numbers.items()}, "n": found.n}


def _where(condition: Condition) -> Json:
    return {**vars(condition)}


def _finding(finding: Finding) -> Json:
    return finding._asdict()


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
