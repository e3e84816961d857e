"""Pitfalls of few-shot tests: memory, leaks and shortcuts, seen by changed episodes."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from engine.contract.runs import LearnerChoice, RunSpec
from engine.stats.array_types import Floats
from engine.stats.block_table import PER_STEP, BlockTable
from engine.stats.diagnosis.finding import Finding
from engine.stats.verdicts.wording import format_number

SURE = 3.0  # standard errors
ROUNDING = 1e-9
IDLE = 0.05  # share of the loss that adaptation takes away
NEAR = 1.1  # times the training loss
COMPANY, TRANSDUCTIVE = 0.05, 0.01
BROKEN, FEWEST_ROWS = 0.05, 8
UNLIKE, UNLIKE_SHARE = 1e-3, 0.01
SHORTCUT = 0.1
EVERYONE = ""  # about the episodes, whoever learns on them


class MeanAndError(NamedTuple):
    """A mean over episodes and its standard error."""

    mean: float
    error: float


def mean_and_error(values: Floats) -> MeanAndError:
    """Return the mean of paired differences and its standard error.

    Args:
        values: Shape (replicate, task).

    >>> mean_and_error(np.array([[1.0, 1.0]]))
    MeanAndError(mean=1.0, error=0.0)
    """
    free = max(1, values.size - 1)
    error = float(np.sqrt(((values - values.mean()) ** 2).sum() / free / values.size))
    return MeanAndError(float(values.mean()), error)


def _paired_difference(
    table: BlockTable, label: str, first: str, second: str
) -> MeanAndError | None:
    """Return first − second, episode by episode, or none."""
    one, other = table.test_values(label, first), table.test_values(label, second)
    if one is None or other is None:
        return None
    return mean_and_error(one - other)


def memorization(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """2: the support's labels do not matter, or adapting changes next to nothing.

    One whose answers the labels clearly change is never accused, however little its
    inner steps lower the loss.
    """
    for learner in spec.learners:
        rise = _paired_difference(
            table, learner.label, "shuffled_error", "as_asked_error"
        )
        asked = table.test_values(learner.label, "as_asked_error")
        if rise is None or asked is None:
            continue
        deaf = rise.mean <= rise.error + ROUNDING and _beats_chance(table, asked)
        idle, told = _adapts_little(table, learner)
        yield Finding(
            2,
            "Memorization",
            learner.label,
            flagged=deaf or (idle and not rise.mean > SURE * rise.error + ROUNDING),
            evidence="Shuffling the labels of the support moves its error from "
            f"{format_number(float(asked.mean()))} by {format_number(rise.mean)} ± "
            f"{format_number(rise.error)} (standard error over {asked.size} "
            f"episodes).{told}",
            remedy="Draw labels or targets anew for each task, so that its support "
            "alone tells them; or regularize what is learned beforehand.",
        )


def _beats_chance(table: BlockTable, asked: Floats) -> bool:
    """Return whether answers are better than chance, where there is such a thing."""
    chance = table.number("", "test", "chance_error")
    if chance is None:
        return True
    ahead = mean_and_error(chance - asked)
    return ahead.mean > SURE * ahead.error


def _adapts_little(table: BlockTable, learner: LearnerChoice) -> tuple[bool, str]:
    """Return whether adapting changes nothing, for it is as good as in training."""
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
        f" Its inner steps lower the loss by {gain:.0%}, from "
        f"{format_number(first)}; in "
        f"training it came to {format_number(late)}."
    )
    return gain < IDLE and first <= NEAR * late, told


def leakage(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """3: examples stand in both sets, or a support that says nothing still helps."""
    twice = table.test_values("", "duplicates")
    if twice is not None:
        yield Finding(
            3,
            "Support/query leakage",
            EVERYONE,
            flagged=bool((twice > 0).any()),
            evidence=f"In {int((twice > 0).sum())} of {twice.size} episodes an example "
            f"stands in support and query, {int(twice.sum())} in all.",
            remedy="Draw support and queries without replacement, and remove copies.",
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
            evidence=f"After shuffled labels {1 - shuffled.mean():.1%} are right; "
            f"chance is {1 - chance:.1%} and the standard error {ahead.error:.1%}.",
            remedy="Find what tells it the classes besides the support: their order, "
            "their number, or examples that it has seen.",
        )


def transduction(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """4: an answer depends on which other queries are asked with it."""
    for learner in spec.learners:
        company = table.test_values(learner.label, "company_matters")
        lost = _paired_difference(table, learner.label, "alone_error", "together_error")
        if company is None or lost is None:
            continue
        share = float(company.mean())
        cost = _format_error(table, lost)
        yield Finding(
            4,
            "Transductive leak",
            learner.label,
            flagged=share > COMPANY,
            evidence=f"{share:.0%} of its answers change when a query is asked alone, "
            f"and its error by {cost}.",
            remedy="Take statistics from the support alone, or use layer, group or "
            "instance normalization; otherwise say that the numbers are transductive.",
        )


def _format_error(table: BlockTable, lost: MeanAndError) -> str:
    if table.criterion.share:
        return f"{format_number(100 * lost.mean)} points"
    return format_number(lost.mean)


def small_batch_statistics(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """5: batch statistics of too few examples, or that only a full batch bears."""
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
            evidence=f"The net (normalization: {used}) averages over 0 other examples.",
            remedy="None is needed.",
        )
        return
    for learner in spec.learners:
        lost = _paired_difference(table, learner.label, "alone_error", "together_error")
        if lost is None:
            continue
        broken = table.criterion.share and lost.mean > BROKEN
        yield Finding(
            5,
            "Batch statistics",
            learner.label,
            flagged=broken or rows < FEWEST_ROWS,
            evidence=f"The net (normalization: {used}) averages over {rows:.0f} "
            "examples; asked alone, its error changes by "
            f"{_format_error(table, lost)}.",
            remedy="Prefer layer, group or instance normalization, or statistics of "
            f"at least {FEWEST_ROWS} support examples.",
        )


def degenerate_split(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """6: support or queries of one class, or with label counts of different tasks."""
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
        remedy="Shuffle examples before they are divided, class by class.",
    )


def label_order_shortcut(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """22: with other class indices it answers worse: it learned their order."""
    for learner in spec.learners:
        rise = _paired_difference(
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
            f"{format_number(0.0 - 100 * rise.mean)} points ± "
            f"{format_number(100 * rise.error)} "
            "(standard error).",
            remedy="Draw the order of the labels anew for each episode.",
        )


def impossible_accuracy(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """21: it does better than who knows the classes themselves."""
    bound = table.test_values("", "bound_error")
    if bound is None:
        return
    for learner in spec.learners:
        asked = table.test_values(learner.label, "as_asked_error")
        if asked is None or asked.shape != bound.shape:
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
            remedy="Look for a leak: nobody can be better than that.",
        )
