"""The headline of a verdict: one sentence of at most 15 words on the primary question.

It says who, the call, against whom, on what metric and on which tasks. Where that takes
more words, as with long names, the least important ones are left to the lines below.
"""

from collections.abc import Iterator

from engine.contract.learner_appearance import appearances, split_label
from engine.stats.learner_claims import CANT_TELL, EQUAL, Claim
from engine.stats.verdicts.claim_words import (
    count_tests,
    format_none,
    rests_on_divergence,
)
from engine.stats.verdicts.kind_terms import VerdictTerms
from engine.stats.verdicts.verdict_inputs import Evidence
from engine.stats.verdicts.wording import (
    capitalize_first,
    conjugate_be,
    format_count,
)

MOST_WORDS = 15
NAME_WORDS = 3  # of a name that is still too long; two names then leave nine words
NO_TESTS = "Nothing was tested, so there is no verdict."
NO_BASELINES = "No baseline was run, so there is no verdict."
NOT_COMPARED = "The learner and its rival share no test, so there is no verdict."
ONLY_BASELINES = "Only baselines were run, so there is no verdict."


def write_headline(run: Evidence, terms: VerdictTerms, claim: Claim) -> str:
    """Return the answer to the primary question.

    Args:
        run: The numbers, claims and names that the verdict is based on.
        terms: The phrases of this kind of task.
        claim: The primary claim.
    """
    full = (run.names[claim.learner], run.names[claim.against])
    brief = (_brief_name(claim.learner, full[0]), _brief_name(claim.against, full[1]))
    cut = (_cut_name(full[0]), _cut_name(full[1]))
    told = [
        capitalize_first(sentence)
        for names in (full, brief, cut)
        for sentence in _candidates(run, terms, claim, *names)
    ]
    return next((each for each in told if len(each.split()) <= MOST_WORDS), told[-1])


def _candidates(
    run: Evidence, terms: VerdictTerms, claim: Claim, mine: str, other: str
) -> Iterator[str]:
    """Yield the answer from the fullest to the shortest form."""
    metric, place = terms.metric(run, claim.metric), terms.place(run)
    if claim.call == CANT_TELL:
        yield from _cant_tell(claim, mine, other, (metric, place))
    elif rests_on_divergence(claim):
        yield from _by_divergence(run, claim, mine, other, place)
    elif claim.call == EQUAL:
        equal = "equal" if conjugate_be(mine) == "are" else "equals"
        finding = f"{mine} {equal} {other}"
        within = f"(±{run.criterion.within})"
        yield f"{finding} in {metric} {within} {place}."
        yield f"{finding} in {metric} {within}."
        yield f"{finding} {place}."
        yield f"{finding}."
    else:
        finding = f"{mine} {conjugate_be(mine)} {claim.call} than {other}"
        yield f"{finding} in {metric} {place}{_one_training(claim)}."
        yield f"{finding} in {metric} {place}."
        yield f"{finding} {place}."
        yield f"{finding} in {metric}."
        yield f"{finding}."


def _cant_tell(
    claim: Claim, mine: str, other: str, where: tuple[str, str]
) -> Iterator[str]:
    metric, place = where
    beats = "beat" if conjugate_be(mine) == "are" else "beats"
    question = f"can't tell yet whether {mine} {beats} {other}"
    if claim.n_replicates == 1 and claim.over == "replicates":
        yield f"{question} {place}: one replicate has no interval."
        yield f"{question}: one replicate has no interval."
    if claim.more_replicates:
        need = f"needs about {format_count(claim.more_replicates, 'more replicate')}"
        yield f"{question} in {metric} {place}; {need}."
        yield f"{question} {place}; {need}."
        yield f"{question}; {need}."
    yield f"{question} in {metric} {place}."
    yield f"{question} {place}."
    yield f"{question}."


def _by_divergence(
    run: Evidence, claim: Claim, mine: str, other: str, place: str
) -> Iterator[str]:
    """Yield that one learner lost more tests than the other."""
    size = count_tests(claim.n_replicates * claim.n_tasks, run.tests)
    counts = f"{claim.diverged[0]:,} of {size} diverged"
    against = f"against {format_none(claim.diverged[1])}"
    finding = f"{mine} {conjugate_be(mine)} {claim.call} than {other}"
    yield f"{finding} {place}: {counts}, {against}."
    yield f"{finding}: {counts}, {against}."
    yield f"{finding}: {counts}."
    yield f"{finding}."


def _one_training(claim: Claim) -> str:
    return ", over one training" if claim.over == "episodes" else ""


def _brief_name(label: str, name: str) -> str:
    """Return the name that figures use where it is shorter, such as "ProtoNet"."""
    part, rest = split_label(label)
    if not part or rest not in ("", "_tuned"):
        return name
    tuned = "tuned " if name.startswith("tuned ") else ""
    brief = f"{tuned}{appearances()[part].name}"
    return brief if len(brief.split()) < len(name.split()) else name


def _cut_name(name: str) -> str:
    words = name.split()
    return name if len(words) <= NAME_WORDS else f"{' '.join(words[:NAME_WORDS])}…"
