"""Claims: which learner is better, for every pair, condition and metric of a run.

One claim is primary: the first chosen learner against its main rival, in distribution,
by the metric that decides. It is tested at the level of the run's present look, so that
5 % of runs with no difference claim one at any look. All other claims are secondary and
share another 5 %: Holm's correction over the whole run.

Claims are over replicates, each a training of everything. Single trainings of few-shot
learners can be compared over episodes; such a claim has `over="episodes"` and is about
these two trainings, not about the two methods. The searches of two untrained
strategies are independent, so all searches of all replicates count; such a claim has
`over="searches"`.

Source: Holm (1979), Scandinavian Journal of Statistics 6.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from engine.contract.events import Condition
from engine.contract.run_spec import RunSpec
from engine.stats.block_table import IN_DISTRIBUTION, BlockTable, chosen_learners
from engine.stats.claims.calls import (
    BETTER,
    CALLS,
    CANT_TELL,
    EQUAL,
    WORSE,
    Call,
)
from engine.stats.claims.question import Answer, Question, SampleUnit
from engine.stats.claims.rival import main_rival
from engine.stats.claims.run_questions import ask_questions
from engine.stats.inference.looks import nominal_levels

__all__ = [
    "BETTER",
    "CALLS",
    "CANT_TELL",
    "EQUAL",
    "WORSE",
    "Call",
    "Claim",
    "SampleUnit",
    "make_claims",
    "primary_claim",
]
SIGNIFICANCE = 0.05  # chance of a false primary claim, and of any false secondary one


@dataclass(frozen=True)
class Claim:
    """One comparison at one condition.

    The call follows from the interval, which is at the level that was tested, unless
    `by_divergence` says that the lost tasks decided.

    Args:
        learner: Label of the chosen learner.
        against: Label of a baseline, or of another chosen learner.
        condition: Where both were tested.
        metric: What is compared; less is better.
        difference: Mean of the learner minus mean of the other one.
        low: Lower end of its interval; NaN where no test was possible.
        high: Upper end.
        level: Confidence of the interval, corrected for all that was tested.
        margin: Differences below it are too small to matter, in the metric's unit.
        call: Which one is better.
        primary: Whether this is the run's primary question.
        decisive: Whether the other one is the learner's main rival, or the strongest
            baseline where the spec names another rival.
        n_replicates: Replicates.
        n_tasks: Tasks per replicate.
        probability_of_improvement: Share of tasks where the learner is better.
        over: Independent units: trainings, episodes of a single one, or all searches.
        diverged: Tasks that the learner and the other one lost.
        by_divergence: Whether the lost tasks decided, and not the interval.
        more_replicates: About how many more would decide it; None if decided, unknown
            or hopeless.
    """

    learner: str
    against: str
    condition: Condition
    metric: str
    difference: float
    low: float
    high: float
    level: float
    margin: float
    call: Call
    primary: bool
    decisive: bool
    n_replicates: int
    n_tasks: int
    probability_of_improvement: float
    over: SampleUnit = "replicates"
    diverged: tuple[int, int] = (0, 0)
    by_divergence: bool = False
    more_replicates: int | None = None


def make_claims(
    table: BlockTable, spec: RunSpec, threshold: float | None
) -> list[Claim]:
    """Compare every chosen learner with every baseline under each shared condition.

    Chosen learners are compared with each other, too.

    Args:
        table: The run's blocks; of an unfinished run those so far.
        spec: The run; it says which learners are chosen and which are baselines.
        threshold: None where there is none; then steps to it are not compared.

    Returns:
        Claims by learner, other learner, metric and condition.
    """
    questions = list(ask_questions(table, spec, threshold))
    main = _primary_question(questions, table, spec)
    alpha = _present_alpha(table.n_replicates, spec)
    # The secondary claims stop whenever the primary one does, so they are tested at
    # the level of the same look, not as if this had been the only one.
    answers = _answer_by_holm([q for q in questions if q is not main], alpha)
    if main is not None:
        answers[id(main)] = main.answer(alpha)
    return [_claim(q, answers[id(q)], primary=q is main) for q in questions]


def primary_claim(claims: Iterable[Claim]) -> Claim | None:
    """Return the claim that the run is about; None without a test of it."""
    return next((claim for claim in claims if claim.primary), None)


def _primary_question(
    questions: Sequence[Question], table: BlockTable, spec: RunSpec
) -> Question | None:
    chosen = chosen_learners(spec)
    if not chosen:
        return None
    pair = (chosen[0].label, main_rival(table, spec, chosen[0]))
    return next(
        (
            q
            for q in questions
            if (q.learner, q.against) == pair
            if q.condition == IN_DISTRIBUTION
            if q.metric == table.criterion.deciding
        ),
        None,
    )


def _present_alpha(present: int, spec: RunSpec) -> float:
    """Return the nominal level of the look that the run's replicates have reached.

    The replicates are those that were tested: a comparison over repetitions of one
    training counts only one of them.
    """
    if not spec.looks:
        return SIGNIFICANCE
    reached = [i for i, look in enumerate(spec.looks) if look <= present]
    levels = nominal_levels(spec.looks, SIGNIFICANCE)
    return levels[reached[-1] if reached else 0]


def _answer_by_holm(questions: Sequence[Question], alpha: float) -> dict[int, Answer]:
    """Answer questions from the clearest to the least clear, by Holm's steps.

    Each is tested at alpha / (questions left); after the first that stays open, all
    others are tested at the level of that one. Returns answers by the question's id.
    """
    clear = {id(q): q.smallest_alpha() for q in questions}
    # Where no test was possible, none is counted.
    tested = [q for q in questions if np.isfinite(clear[id(q)])]
    answers = {
        id(q): q.answer(alpha) for q in questions if not np.isfinite(clear[id(q)])
    }
    left = len(tested)
    for question in sorted(tested, key=lambda q: clear[id(q)]):
        answers[id(question)] = question.answer(alpha / left)
        if answers[id(question)].call != CANT_TELL:
            left -= 1
    return answers


def _claim(question: Question, answer: Answer, *, primary: bool) -> Claim:
    found, lost = question.found, question.lost
    return Claim(
        learner=question.learner,
        against=question.against,
        condition=question.condition,
        metric=question.metric,
        difference=found.mean,
        low=answer.low,
        high=answer.high,
        level=answer.level,
        margin=question.margin,
        call=answer.call,
        primary=primary,
        decisive=question.decisive,
        n_replicates=found.n_replicates,
        n_tasks=found.n_tasks,
        probability_of_improvement=found.improvement,
        over=question.over,
        diverged=(lost.mine, lost.other),
        by_divergence=answer.by_divergence,
        more_replicates=answer.more_replicates,
    )
