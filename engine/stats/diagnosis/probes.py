"""Detectors of few-shot tests: memorization, leaks and shortcuts, by probes."""

from collections.abc import Iterator

import numpy as np

from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import PER_STEP, BlockTable
from engine.stats.diagnosis.finding import Finding
from engine.stats.diagnosis.probe_errors import (
    MeanAndError,
    mean_and_error,
    paired_difference,
    uncapped_errors,
)
from engine.stats.verdicts.wording import format_number

SURE = 3.0  # standard errors
ROUNDING = 1e-9  # a difference of equal answers may be this far from 0
IDLE = 0.05  # share of the loss that adaptation removes
NEAR = 1.1  # × the training loss
RUNAWAY = 10.0  # a rise above ten times the loss is not worth a percentage
COMPANY, TRANSDUCTIVE = 0.05, 0.01
BROKEN, FEWEST_ROWS = 0.05, 8  # loss of accuracy, examples behind a statistic
UNLIKE, UNLIKE_SHARE = 1e-3, 0.01  # p-value of one episode, share of the episodes
SHORTCUT = 0.1  # loss of accuracy
EVERYONE = ""  # the finding is about the episodes, not about a learner


def memorization(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """2: the support's labels do not matter, or adapting changes next to nothing.

    A learner whose answers depend significantly on the labels is never flagged,
    however little its inner steps lower the loss.
    """
    for learner in spec.learners:
        rise = paired_difference(
            table, learner.label, "shuffled_error", "as_asked_error"
        )
        asked = uncapped_errors(table, learner.label, "as_asked_error")
        if rise is None or asked is None:
            continue
        asked = asked[np.isfinite(asked)]
        deaf = rise.mean <= rise.error + ROUNDING and _beats_chance(table, asked)
        idle, told = _adapts_little(table, learner)
        yield Finding(
            2,
            "Memorization",
            learner.label,
            flagged=deaf or (idle and not rise.mean > SURE * rise.error + ROUNDING),
            evidence="Shuffling the support labels changes its error of "
            f"{format_number(float(asked.mean()))} by {format_number(rise.mean)} ± "
            f"{format_number(rise.error)} (standard error over {asked.size} "
            f"episodes).{told}",
            remedy="Draw labels or targets anew for each task, so that only its "
            "support reveals them; or regularize meta-training.",
        )


def _beats_chance(table: BlockTable, asked: Floats) -> bool:
    """Return whether answers beat chance; True where chance is not defined."""
    chance = table.number("", "test", "chance_error")
    if chance is None:
        return True
    ahead = mean_and_error(chance - asked)
    return ahead.mean > SURE * ahead.error


def _adapts_little(table: BlockTable, learner: LearnerChoice) -> tuple[bool, str]:
    """Return whether adapting hardly helps since the start is as good as training."""
    gains = table.test_values(learner.label, "adaptation_gain")
    lessons = table.series(learner.label, "train", "lesson_loss")
    start = table.test_values(learner.label, "query_loss", axes=PER_STEP)
    if start is None:
        start = table.test_values(learner.label, "query_mse", axes=PER_STEP)
    if (
        gains is None
        or lessons is None
        or start is None
        or not np.isfinite(gains).any()
    ):
        return False, ""
    gain = float(np.nanmean(gains))
    late = float(np.nanmean(lessons.values[:, lessons.values.shape[1] // 2 :]))
    first = float(np.nanmean(start[..., 0]))
    told = (
        f" Its inner steps {_describe_gain(gain)}, from "
        f"{format_number(first)}; late in training it was {format_number(late)}."
    )
    return gain < IDLE and first <= NEAR * late, told


def _describe_gain(gain: float) -> str:
    """Return in words by which share the loss fell, or rose.

    >>> _describe_gain(0.25), _describe_gain(-0.5), _describe_gain(-7.2e10)
    ('lower the loss by 25 %', 'raise the loss by 50 %', 'blow up the loss')
    """
    if gain < -RUNAWAY:
        return "blow up the loss"
    return f"{'lower' if gain >= 0 else 'raise'} the loss by {abs(100 * gain):.0f} %"


def leakage(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """3: examples are in both sets, or shuffled labels still beat chance."""
    twice = table.test_values("", "duplicates")
    if twice is not None:
        yield Finding(
            3,
            "Support/query leakage",
            EVERYONE,
            flagged=bool((twice > 0).any()),
            evidence=f"In {int((twice > 0).sum())} of {twice.size} episodes an example "
            f"is in both support and query; {int(twice.sum())} such examples in all.",
            remedy="Draw support and queries without replacement, and remove "
            "duplicates.",
        )
    chance = table.number("", "test", "chance_error")
    for learner in spec.learners:
        shuffled = table.test_values(learner.label, "shuffled_error")
        if chance is None or shuffled is None:
            continue
        ahead = mean_and_error(chance - shuffled)
        yield Finding(
            3,
            "Support/query leakage",
            learner.label,
            flagged=ahead.mean > SURE * ahead.error and ahead.mean > 0,
            evidence=f"With shuffled labels {1 - shuffled.mean():.1%} of the answers "
            f"are right; chance is {1 - chance:.1%}, the standard error "
            f"{ahead.error:.1%}.",
            remedy="Find what reveals the classes besides the support: their order, "
            "their number, or examples seen before.",
        )


def transduction(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """4: an answer depends on the other queries of its batch."""
    for learner in spec.learners:
        company = table.test_values(learner.label, "company_matters")
        lost = paired_difference(table, learner.label, "alone_error", "together_error")
        if company is None or lost is None:
            continue
        share = float(company.mean())
        cost = _format_error(table, lost)
        yield Finding(
            4,
            "Transductive leak",
            learner.label,
            flagged=share > COMPANY,
            evidence=f"{share:.0%} of its answers change when each query is answered "
            f"alone, and its error changes by {cost}.",
            remedy="Take statistics from the support alone, or use layer, group or "
            "instance normalization; otherwise say that the numbers are transductive.",
        )


def _format_error(table: BlockTable, lost: MeanAndError) -> str:
    if table.criterion.share:
        return f"{format_number(100 * lost.mean)} points"
    return format_number(lost.mean)


def small_batch_statistics(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """5: batch statistics of too few examples, or useful in full batches only."""
    rows = table.number("", "test", "normed_over")
    if rows is None:
        return
    used = spec.net.knobs.get("normalization", "not named")
    if rows == 0:
        yield Finding(
            5,
            "Batch statistics",
            EVERYONE,
            False,
            evidence=f"The net (normalization: {used}) uses statistics of 0 other "
            "examples.",
            remedy="No action needed.",
        )
        return
    for learner in spec.learners:
        lost = paired_difference(table, learner.label, "alone_error", "together_error")
        if lost is None:
            continue
        broken = table.criterion.share and lost.mean > BROKEN
        yield Finding(
            5,
            "Batch statistics",
            learner.label,
            flagged=broken or rows < FEWEST_ROWS,
            evidence=f"The net (normalization: {used}) averages over {rows:.0f} "
            "examples; if each query is answered alone, its error changes by "
            f"{_format_error(table, lost)}.",
            remedy="Prefer layer, group or instance normalization, or statistics of "
            f"at least {FEWEST_ROWS} support examples.",
        )


def degenerate_split(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """6: support or queries of one class, or with inconsistent label counts."""
    single = table.test_values("", "single_class")
    unlike = table.test_values("", "label_mismatch")
    if single is None or unlike is None:
        return
    share = float((unlike < UNLIKE).mean())
    yield Finding(
        6,
        "Degenerate split",
        EVERYONE,
        flagged=bool(single.any()) or share > UNLIKE_SHARE,
        evidence=f"Of {single.size} episodes {int(single.sum())} hold a support or "
        f"queries of a single class; in {share:.0%} their label counts differ (χ², p < "
        f"{UNLIKE:g}).",
        remedy="Shuffle the examples within each class before splitting them.",
    )


def label_order_shortcut(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """22: it answers worse with permuted class indices: it learned their order."""
    for learner in spec.learners:
        rise = paired_difference(
            table, learner.label, "reordered_error", "as_asked_error"
        )
        if rise is None:
            continue
        yield Finding(
            22,
            "Label-order shortcut",
            learner.label,
            flagged=rise.mean > SHORTCUT,
            evidence=f"With the classes renamed its accuracy changes by "
            f"{format_number(0.0 - 100 * rise.mean)} points ± "  # 0 − x: never "−0"
            f"{format_number(100 * rise.error)} "
            "(standard error).",
            remedy="Draw the order of the labels anew for each episode.",
        )


def impossible_accuracy(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """21: it beats the best possible answers, given the true classes."""
    bound = table.test_values("", "bound_error")
    if bound is None:
        return
    for learner in spec.learners:
        asked = uncapped_errors(table, learner.label, "as_asked_error")
        # An error at its cap beats nothing, and its mean would be no measurement.
        if asked is None or asked.shape != bound.shape or np.isnan(asked).any():
            continue
        ahead = mean_and_error(bound - asked)
        yield Finding(
            21,
            "Beats the impossible",
            learner.label,
            flagged=ahead.mean > 0 and ahead.mean > SURE * ahead.error,
            evidence=f"Its error is {format_number(float(asked.mean()))}, that of "
            "the best "
            f"possible answers {format_number(float(bound.mean()))} on the same "
            f"{bound.size} episodes (standard error {format_number(ahead.error)}).",
            remedy="Look for a leak: no learner can beat this bound.",
        )
