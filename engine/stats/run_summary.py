"""The summary of a run as JSON: verdict, claims, levels, costs and diagnosis."""

import math
from collections.abc import Iterable, Mapping

from engine.contract.events import Block, Condition
from engine.contract.run_spec import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import (
    BlockTable,
    has_constant_spread,
    rate_of,
    threshold_of,
    tuned_rates,
)
from engine.stats.diagnosis import diagnose
from engine.stats.diagnosis.finding import Finding
from engine.stats.diverged_tasks import task_values
from engine.stats.equal_learner_notes import describe_duplicates
from engine.stats.independent_units import are_independent, drop_repeats, regroup_units
from engine.stats.inference.episode_and_training_spread import compute_spread
from engine.stats.inference.intervals import Interval
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.inference.survival import restricted_interval
from engine.stats.inference.tail_risk import robustness
from engine.stats.learner_claims import Claim, make_claims
from engine.stats.summaries.adaptation_speed import learner_adaptation_speed
from engine.stats.summaries.calibration import calibration
from engine.stats.task_metrics.beliefs import WORST_NLL
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
        blocks: The run's blocks, of an unfinished run those so far.
        spec: The completed spec.
        threshold: Another threshold than the run's own, nats; then the loss
            traces must be among the blocks.
        titles: Titles of parts in the verdict, by part name.

    Returns:
        JSON of format 1; every number is finite or null. `shared`, if present, lists
        what was computed once for several labels or families, and `constant_spread`
        the learners that only predict values: their density is not their own.

    Raises:
        ValueError: If a threshold is given without loss traces.
    """
    table = BlockTable(blocks, spec.kind)
    if threshold is not None:
        table = table.with_threshold(threshold)
    else:
        threshold = threshold_of(table, spec)
    claims = make_claims(table, spec, threshold)
    found = diagnose(table, spec)
    verdict = write_verdict(table, spec, claims, threshold=threshold, titles=titles)
    labels = [learner.label for learner in spec.learners]
    rates = {learner.label: rate_of(table, learner) for learner in spec.learners}
    filed: dict[str, Json] = {
        "format": FORMAT,
        "replicates": table.n_replicates,
        "threshold": _finite_or_none(threshold),
        "headline": verdict.headline,
        "notes": [*verdict.notes],
        "sentence": verdict.sentence,
        "claims": [_claim_as_json(claim) for claim in claims],
        "conditions": [_tests_as_json(table, spec, c) for c in table.conditions()],
        "ledger": {label: _ledger_as_json(table, label) for label in labels},
        "rates": {
            label: _finite_or_none(rate) for label, rate in rates.items() if rate
        },
        "tuned_rates": {
            label: [float(rate) for rate in each]
            for label in labels
            if (each := tuned_rates(table, label)) is not None
        },
        "diagnosis": [_finding_as_json(finding) for finding in found],
    }
    further: dict[str, Json] = {
        "shared": [*describe_duplicates(spec)],
        "constant_spread": [at for at in labels if has_constant_spread(table, at)],
    }
    # Left out where empty, so that summaries read as they did in 0.3.0.
    return filed | {name: listed for name, listed in further.items() if listed}


def _claim_as_json(claim: Claim) -> Json:
    plain: dict[str, Json] = {
        name: _finite_or_none(value) if isinstance(value, float) else value
        for name, value in vars(claim).items()
        if name not in ("condition", "diverged")
    }
    plain["diverged"] = [*claim.diverged]
    return {**plain, "condition": _condition_as_json(claim.condition)}


def _tests_as_json(table: BlockTable, spec: RunSpec, condition: Condition) -> Json:
    labels = [learner.label for learner in spec.learners]
    tested = {
        label: _learner_as_json(table, spec, label, condition) for label in labels
    }
    return {
        "condition": _condition_as_json(condition),
        "learners": {label: row for label, row in tested.items() if row},
    }


def _learner_as_json(
    table: BlockTable, spec: RunSpec, label: str, condition: Condition
) -> dict[str, Json]:
    row: dict[str, Json] = {}
    rule = table.criterion
    free = are_independent(table, spec, (label,))
    for name in rule.shown:
        values = task_values(table, label, name, condition)
        if values is not None:
            row[name] = _interval_as_json(
                metric_interval(name, _regroup_if_free(values, free), share=rule.share)
            )
    steps = table.test_values(label, rule.beside, condition)
    if steps is not None:
        row["rmst"] = _interval_as_json(
            metric_interval(rule.beside, _regroup_if_free(steps, free))
        )
    errors = table.test_values(label, rule.deciding, condition)
    if rule.singles and errors is not None:
        row["spread"] = _spread_as_json(
            errors.reshape(1, -1) if free else drop_repeats(errors)
        )
        row |= _speed_as_json(table, label, condition)
    if rule.pools and errors is not None:
        row |= _robustness_as_json(_regroup_if_free(errors, free))
    row |= _beliefs_as_json(table, label, condition)
    diverged = table.test_values(label, "diverged", condition)
    if diverged is not None:
        row |= {"diverged": int(diverged.sum()), "members": diverged.size}
    return row


def _beliefs_as_json(
    table: BlockTable, label: str, condition: Condition
) -> dict[str, Json]:
    """Return the calibration error, and in how many tasks the likelihood is capped."""
    row: dict[str, Json] = {}
    calibrated = calibration(table, label, condition)
    if calibrated is not None:
        errors = calibrated.expected_error()[:, None]
        found = metric_interval("calibration_error", errors)
        row["calibration_error"] = _interval_as_json(found)
    nll = table.test_values(label, "nll", condition)
    if nll is not None:
        row["nll_capped"] = int((nll >= WORST_NLL).sum())
    return row


def _regroup_if_free(values: Floats, free: bool) -> Floats:
    return regroup_units(values, trained=False) if free else drop_repeats(values)


def _robustness_as_json(regrets: Floats) -> dict[str, Json]:
    """Return the spread over searches and the mean of the worst tenth."""
    found = robustness(regrets)
    return {
        "sd": _interval_as_json(found.sd),
        "worst_tenth": _interval_as_json(found.worst),
    }


def _spread_as_json(errors: Floats) -> Json:
    """Return the spreads of the error over episodes and over trainings."""
    found = compute_spread(errors)._asdict()
    return {
        k: _finite_or_none(v) if isinstance(v, float) else v for k, v in found.items()
    }


def _speed_as_json(
    table: BlockTable, label: str, condition: Condition
) -> dict[str, Json]:
    """Return inner steps to 90 % of the gain, and how many episodes gained at all."""
    found = learner_adaptation_speed(table, label, condition)
    if found is None:
        return {}
    steps = _interval_as_json(restricted_interval(found.step))
    return {"adaptation_steps": steps, "gained": int(found.reached.sum())}


def _ledger_as_json(table: BlockTable, label: str) -> Json:
    spent: dict[str, Json] = {
        phase: table.gradients_spent(label, phase) for phase in PHASES
    }
    seen = table.number(label, "train", "examples_seen")
    return spent if seen is None else spent | {"examples": round(seen)}


def _interval_as_json(interval: Interval) -> Json:
    numbers = {"mean": interval.mean, "low": interval.low, "high": interval.high}
    return {**{k: _finite_or_none(v) for k, v in numbers.items()}, "n": interval.n}


def _condition_as_json(condition: Condition) -> Json:
    return {**vars(condition)}


def _finding_as_json(finding: Finding) -> Json:
    return finding._asdict()


def _finite_or_none(value: float | None) -> float | None:
    # JSON has neither NaN nor infinity.
    return value if value is not None and math.isfinite(value) else None
