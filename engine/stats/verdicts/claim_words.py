"""Words and numbers of a claim: its call, its difference, what its tests lost."""

import math

from engine.contract.kinds import Criterion
from engine.contract.metrics import metric
from engine.stats.inference.intervals import Interval
from engine.stats.learner_claims import (
    BETTER,
    CALLS,
    CANT_TELL,
    EQUAL,
    WORSE,
    Call,
    Claim,
)
from engine.stats.verdicts.wording import (
    capitalize_first,
    conjugate_be,
    format_count,
    join_words,
)

_PREPOSITIONS = {BETTER: "than", WORSE: "than", EQUAL: "to", CANT_TELL: "against"}
# Share of all tests. What a lost one counts in a mean is only a convention.
MANY_LOST = 0.1
BEYOND_REASON = 1e6  # a larger number says only that something blew up


def phrase_call(call: Call, other: str) -> str:
    """Return a call as a phrase about another learner.

    >>> phrase_call("worse", "tuned SGD"), phrase_call("equal", "SGD and Adam")
    ('worse than tuned SGD', 'equal to SGD and Adam')
    """
    return f"{call} {_PREPOSITIONS[call]} {other}"


def phrase_calls(name: str, calls: list[tuple[str, Call]]) -> str:
    """Compare a learner with several others in one sentence, grouped by call.

    >>> phrase_calls("MAML", [("SGD", "better"), ("Adam", "can't tell yet")])
    "MAML is better than SGD; can't tell yet against Adam."
    """
    groups = {c: [other for other, of in calls if of == c] for c in CALLS}
    sure = [
        phrase_call(call, join_words(others))
        for call, others in groups.items()
        if others and call != CANT_TELL
    ]
    said = [f"{name} {conjugate_be(name)} {', '.join(sure)}"] if sure else []
    if unsure := groups[CANT_TELL]:
        opening = "" if sure else f"{name}: "
        said.append(f"{opening}{phrase_call(CANT_TELL, join_words(unsure))}")
    return f"{'; '.join(said)}."


def rests_on_divergence(claim: Claim) -> bool:
    """Return whether lost tests decided, or the worse learner lost many more."""
    if claim.by_divergence or claim.call not in (BETTER, WORSE):
        return claim.by_divergence
    more = claim.diverged[0] - claim.diverged[1]
    more = more if claim.call == WORSE else -more
    return more >= MANY_LOST * claim.n_replicates * claim.n_tasks


def has_interval(claim: Claim) -> bool:
    """Return whether there is an interval, and it is not of capped values alone."""
    return claim.low <= claim.high and not _is_beyond_measure(claim)


def _is_beyond_measure(claim: Claim) -> bool:
    """Return whether one learner lost all tests, so that no difference was measured."""
    return claim.n_replicates * claim.n_tasks in claim.diverged


def format_difference(claim: Claim, rule: Criterion) -> str:
    """Return a claim's difference with its interval, in the unit that readers know.

    A difference of errors is shown as one of accuracies, and one at a cap in words. Two
    accuracies never differ by more than 100 points: an interval loses nothing that is
    possible where it is cut off there, and says so.

    Args:
        claim: A comparison; less is better.
        rule: The run's criterion.
    """
    if _is_beyond_measure(claim):
        return "beyond measure"
    factor, unit = _scale_and_unit(claim.metric, rule)
    ends = (factor * claim.low, factor * claim.high)
    shown = Interval(factor * claim.difference, min(ends), max(ends), 2)
    note = " (capped)" if any(claim.diverged) and not rule.share else ""
    most = abs(factor)  # of shares, which lie between 0 and 1
    if rule.share and claim.metric == rule.deciding and max(map(abs, ends)) > most:
        shown = shown._replace(low=max(shown.low, -most), high=min(shown.high, most))
        note = f" (cut off at ±{most:g})"
    return f"{format_value(shown)}{unit}{note}"


def title_metric(rule: Criterion) -> str:
    """Return the deciding metric with the unit that its name does not tell."""
    unit = " (%)" if rule.share else " (points)" if rule.unit == "%" else ""
    return f"{capitalize_first(rule.called)}{unit}"


def _scale_and_unit(name: str, rule: Criterion) -> tuple[float, str]:
    known = metric(name)
    if name != rule.deciding:
        return 1.0, f" {known.unit.removesuffix(' nats')}"
    sign = -1.0 if rule.share else 1.0
    unit = "points" if rule.unit == "%" else rule.unit
    return sign * rule.scale, f" {unit}"


def format_value(shown: Interval, *, signed: bool = True) -> str:
    """Write a mean with its interval, as precisely as the interval is wide.

    A difference whose interval leaves out 0 has no end that reads 0.00: that would look
    like a call that its own interval contradicts.

    Args:
        shown: Mean and ends; of a single unit the ends are NaN and left out.
        signed: Whether a positive mean has a plus sign, as a difference has.

    >>> format_value(Interval(-0.1234, -0.2211, -0.0213, 8))
    '−0.12 [−0.22, −0.02]'
    >>> format_value(Interval(3.04, 1.2, 4.8, 8)), format_value(Interval(2e11, 0, 1, 8))
    ('+3.0 [1.2, 4.8]', 'beyond a million')
    >>> format_value(Interval(0.051, 0.003, 0.099, 8))
    '+0.051 [0.003, 0.099]'
    """
    if not math.isfinite(shown.mean):
        return "not finite"
    if abs(shown.mean) >= BEYOND_REASON:
        return "beyond a million"
    known = math.isfinite(shown.low) and math.isfinite(shown.high)
    width = shown.high - shown.low if known else abs(shown.mean)
    # Two digits of the width; past the fourth decimal no difference matters.
    scale = width or abs(shown.mean)
    if not signed and shown.mean:
        scale = min(scale, abs(shown.mean))  # a level keeps two digits of its own
    places = min(4, max(0, 1 - math.floor(math.log10(scale)))) if scale else 0
    if signed and known and shown.low * shown.high > 0:
        nearest = min(abs(shown.low), abs(shown.high))
        while places < 4 and round(nearest, places) == 0:
            places += 1
    mean = format_decimal(shown.mean, places)
    rounds_up = signed and round(shown.mean, places) > 0
    mean = f"+{mean}" if rounds_up else mean
    if not known:
        return mean
    low, high = (format_decimal(end, places) for end in (shown.low, shown.high))
    return f"{mean} [{low}, {high}]"


def format_decimal(value: float, places: int) -> str:
    """Write a number with a typographic minus and so many decimals.

    >>> format_decimal(-0.004, 2), format_decimal(-1234.5, 1)
    ('0.00', '−1,234.5')
    """
    # Adding 0 turns a rounded −0 into 0.
    return f"{round(value, places) + 0.0:,.{places}f}".replace("-", "−")


def format_percent(share: float) -> str:
    """Write a share as a percentage with at most one decimal; never rounded to 100.

    >>> format_percent(0.95), format_percent(0.9958), format_percent(0.99996)
    ('95 %', '99.6 %', '99.9 %')
    """
    text = f"{min(100 * share, 99.9):.1f}".removesuffix(".0")
    return f"{text} %"


def format_sample(claim: Claim, tests: str) -> str:
    """Return the sample that a claim is about, such as "8 replicates × 8 tasks".

    Args:
        claim: The claim.
        tests: What a test is called, in the plural.
    """
    if claim.over == "searches":
        return count_tests(claim.n_replicates * claim.n_tasks, tests)
    count = count_tests(claim.n_tasks, tests)
    if claim.over == "episodes":
        return f"{count} of one training"
    return f"{format_count(claim.n_replicates, 'replicate')} × {count}"


def format_none(n: int) -> str:
    """Write a count, and none as a word."""
    return f"{n:,}" if n else "none"


def count_tests(n: int, tests: str) -> str:
    """Write a number of tests.

    >>> count_tests(1, "searches"), count_tests(2000, "episodes")
    ('1 search', '2,000 episodes')
    """
    one = tests.removesuffix("es") if tests.endswith("ches") else tests[:-1]
    return f"{n:,} {one if n == 1 else tests}"
