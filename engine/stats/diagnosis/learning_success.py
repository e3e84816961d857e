"""Detectors of learners that learned nothing, or their training classes by heart."""

from collections.abc import Iterator, Sequence

import numpy as np

from engine.contract.run_spec import RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import BlockTable, is_control
from engine.stats.diagnosis.finding import Finding
from engine.stats.diagnosis.probe_errors import mean_and_error
from engine.stats.inference.intervals import Interval
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.verdicts.wording import format_count, format_number

SURE = 3.0  # standard errors


def no_better_than_blind(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """37: its answers are no better than those that ignore the queries' inputs.

    Each replicate is a training of its own and is judged by its own episodes: one that
    failed must not hide behind others that did not.
    """
    blind = _best_blind_errors(table)
    for learner in spec.learners:
        asked = table.test_values(learner.label, "as_asked_error")
        if blind is None or asked is None or asked.shape != blind.shape:
            continue
        if is_control(learner) or asked.shape[1] < 2:
            continue
        gains = [_over_episodes(row) for row in blind - asked]
        yield Finding(
            37,
            "Not learned",
            learner.label,
            flagged=not all(gain.low > 0 for gain in gains),
            evidence=f"Its error is {format_number(float(asked.mean()))}; answers "
            "without a look at the inputs would have "
            f"{format_number(float(blind.mean()))}. {_describe_gains(gains)}",
            remedy="Train longer, try another outer learning rate, and look whether "
            "the training loss falls at all; do not compare such a learner.",
        )


def _best_blind_errors(table: BlockTable) -> Floats | None:
    """Return the errors of the best blind answer; shape (replicate, task)."""
    blind = table.test_values("", "blind_error")
    if blind is None:
        return None
    known = [blind]
    if (chance := table.number("", "test", "chance_error")) is not None:
        known.append(np.full_like(blind, chance))
    if (zero := table.test_values("", "zero_error")) is not None:
        known.append(zero)
    return min(known, key=lambda errors: float(errors.mean()))


def _describe_gains(gains: Sequence[Interval]) -> str:
    """Return the smallest gain in words, and in how many replicates there is none."""
    least = min(gains, key=lambda gain: gain.low)
    told = (
        f"The gain is {format_number(least.mean)} [{format_number(least.low)}, "
        f"{format_number(least.high)}] (95 % interval over "
        f"{format_count(least.n, 'episode')})"
    )
    if len(gains) == 1:
        return f"{told}."
    lost = sum(not gain.low > 0 for gain in gains)
    return (
        f"{told} in the worst of {len(gains)} replicates; in {lost} it is not "
        "significant."
    )


def _over_episodes(differences: Floats) -> Interval:
    # Differences have no ends: a t interval, as of a signal.
    return metric_interval("signal", differences.reshape(-1, 1))


def memorized_classes(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """2: training classes are recognized although the support labels are shuffled."""
    for learner in spec.learners:
        shuffled, asked, blind = (
            table.test_values(learner.label, f"known_classes_{name}")
            for name in ("shuffled_error", "error", "blind_error")
        )
        if shuffled is None or asked is None or blind is None:
            continue
        ahead = mean_and_error(blind - shuffled)
        yield Finding(
            2,
            "Memorized classes",
            learner.label,
            flagged=ahead.mean > 0 and ahead.mean > SURE * ahead.error,
            evidence=f"Of its training classes it gets {_right(asked)} of the answers "
            f"right, with shuffled support labels {_right(shuffled)}; without a look "
            f"at the inputs {_right(blind)} are right (standard error "
            f"{ahead.error:.1%}, {format_count(shuffled.size, 'episode')}).",
            remedy="Draw which label a class has anew in each episode, so that only "
            "the support reveals it.",
        )


def _right(errors: Floats) -> str:
    return f"{1.0 - float(np.mean(errors)):.1%}"
