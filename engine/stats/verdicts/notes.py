"""Notes of a verdict: short sentences on how far its headline can be trusted."""

from collections.abc import Iterator

import numpy as np

from engine.stats.block_table import is_tuned, tuned_rates
from engine.stats.inference.rare_failures import find_rare_failures
from engine.stats.learner_claims import BETTER, CANT_TELL, WORSE, Claim
from engine.stats.verdicts.claim_words import (
    count_tests,
    format_difference,
    format_none,
)
from engine.stats.verdicts.kind_terms import VerdictTerms
from engine.stats.verdicts.verdict_inputs import Evidence
from engine.stats.verdicts.wording import conjugate_be, join_words

SURE = (BETTER, WORSE)
WORTH_A_WARNING = 0.1  # of all runs; 29 replicates and more show such a failure


def list_notes(run: Evidence, terms: VerdictTerms, claim: Claim) -> list[str]:
    """Return the notes on the primary claim, the most important first."""
    return [
        *_single_replicate(claim),
        *_one_training(run, claim),
        *_lost_tests(run, claim),
        *_rare_failures(run, claim),
        *terms.notes(run, claim),
        *_other_metrics(run, terms, claim),
        *_secondary_level(run, claim),
        *_tuned_rates(run),
    ]


def _single_replicate(claim: Claim) -> Iterator[str]:
    if claim.n_replicates == 1 and claim.over == "replicates":
        yield "One replicate has no interval: run at least two."


def _one_training(run: Evidence, claim: Claim) -> Iterator[str]:
    if claim.over == "episodes":
        count = count_tests(claim.n_tasks, run.tests)
        yield (
            f"Compared over {count} of one training; another training may come to "
            "another result."
        )


def _lost_tests(run: Evidence, claim: Claim) -> Iterator[str]:
    mine, other = claim.diverged
    if mine or other:
        size = count_tests(claim.n_replicates * claim.n_tasks, run.tests)
        yield (
            f"Diverged: {mine:,} of {size} of {run.names[claim.learner]}, "
            f"{format_none(other)} of {run.names[claim.against]}; each counts with the "
            "worst value."
        )


def _rare_failures(run: Evidence, claim: Claim) -> Iterator[str]:
    """Warn where the mean hangs on one replicate, or may miss a rare failure."""
    mine, other = (run.deciding_values(at) for at in (claim.learner, claim.against))
    if claim.over != "replicates" or claim.call == CANT_TELL:
        return
    if mine is None or other is None or claim.n_replicates < 2:
        return
    found = find_rare_failures(mine, other)
    if claim.call in SURE and found.carries:
        yield (
            f"Replicate {run.spec.first_replicate + found.extreme} alone brings over "
            "half of the difference."
        )
    if claim.call in SURE and found.opposed:
        better = claim.learner if found.improvement > 0.5 else claim.against
        share = max(found.improvement, 1 - found.improvement)
        yield (
            f"Yet {run.names[better]} {conjugate_be(run.names[better])} better on "
            f"{100 * share:.0f} % of the {run.tests}: the mean hangs on few."
        )
    if found.unseen > WORTH_A_WARNING:
        yield (
            f"With {claim.n_replicates} replicates, a failure in up to "
            f"{100 * found.unseen:.0f} % of trainings may be unseen."
        )


def _other_metrics(run: Evidence, terms: VerdictTerms, claim: Claim) -> Iterator[str]:
    """Say what the other metrics come to, and where one contradicts the headline."""
    for beside in run.beside(claim):
        opposed = {claim.call, beside.call} == {BETTER, WORSE}
        if beside.metric == run.criterion.beside and not opposed:
            continue  # both levels are among the notes of the kind of task
        name = terms.metric(run, beside.metric)
        gap = format_difference(beside, run.criterion)
        stress = ": the two metrics disagree" if opposed else ""
        yield f"In {name}: {beside.call} ({gap}){stress}."


def _secondary_level(run: Evidence, claim: Claim) -> Iterator[str]:
    others = len(run.claims) - 1
    if others == 1:
        yield "The other comparison is secondary."
    elif others:
        yield (
            f"The other {others} comparisons are secondary, and corrected together by "
            "Holm's method."
        )


def _tuned_rates(run: Evidence) -> Iterator[str]:
    """Say which rates were tuned, and how far they differ between replicates."""
    told = []
    for learner in run.spec.learners:
        found = tuned_rates(run.table, learner.label)
        if found is None or not is_tuned(learner):
            continue
        rates = found[np.isfinite(found)]
        if not rates.size:
            continue
        name = run.names[learner.label].removeprefix("tuned ")
        low, high = float(rates.min()), float(rates.max())
        spread = f" to {high:.3g}" if high > low else ""
        told.append(f"{name} {low:.3g}{spread}")
    if told:
        yield f"Tuned rates over replicates: {join_words(told)}."
