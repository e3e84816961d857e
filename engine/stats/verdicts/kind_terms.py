"""Verdict terms: the phrases and formatters that differ between kinds of task."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.contract.kinds import ByKind
from engine.contract.learner_appearance import name_in_words
from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.stats.learner_claims import CANT_TELL, EQUAL, Claim
from engine.stats.verdicts.verdict_inputs import Evidence, better_first
from engine.stats.verdicts.wording import conjugate_be

NameLearners = Callable[[RunSpec, Mapping[str, str] | None], dict[str, str]]
DescribeRun = Callable[[Evidence], str]
DescribeClaim = Callable[[Evidence, Claim], str]
ClaimDetails = Callable[[Evidence, Claim], list[str]]


def name_winner(run: Evidence, claim: Claim) -> str:
    """Say who is better, such as "MAML is better than Reptile"."""
    ahead, behind = better_first(claim)
    mine, other = run.names[ahead], run.names[behind]
    if claim.call == CANT_TELL:
        return f"can't tell yet whether {mine} or {other} is better"
    if claim.call == EQUAL:
        within = run.criterion.within
        return f"{mine} and {other} are equal to within {within}"
    return f"{mine} {conjugate_be(mine)} better than {other}"


def name_rival(run: Evidence, claim: Claim) -> str:
    """Return the name of the baseline that decides."""
    return run.names[claim.against]


def spell_family(_: RunSpec, name: str) -> str:
    """Return the name of another family."""
    return name_in_words(name)


def no_details(_run: Evidence, _here: Claim) -> list[str]:
    """Add nothing about a claim."""
    return []


def no_ending(_: Evidence) -> list[str]:
    """Add nothing about a run."""
    return []


@dataclass(frozen=True)
class VerdictTerms:
    """What a kind of task contributes to its verdict; the writer adds the rest.

    Args:
        sample: Unit of repetition, such as "episode"; with one, there is no verdict.
        names: Returns the learners' names, by label.
        head: Returns the opening, such as "On unseen sinusoids".
        levels: Returns the levels of learners that have no rival.
        description: Returns two levels that cannot be tested against each other.
        facts: Returns what follows the finding in brackets: levels, gap, sizes.
        finding: Returns which learner is better.
        rival: Returns the name of the baseline that decides.
        family_name: Returns the name of another family, from its name in a condition.
        clauses: Returns additions to the sentence of the finding.
        sentences: Returns sentences that follow it.
        price: Returns what was spent before the tests; follows the other conditions.
        ending: Returns the closing sentences, whichever learners were compared.
        one_by_one: Whether each learner has a verdict of its own, which does not
            name it, instead of one verdict for all.
    """

    sample: str
    names: NameLearners
    head: DescribeRun
    levels: Callable[[Evidence, Sequence[LearnerChoice]], str]
    description: DescribeClaim
    facts: ClaimDetails
    finding: DescribeClaim = name_winner
    rival: DescribeClaim = name_rival
    family_name: Callable[[RunSpec, str], str] = spell_family
    clauses: ClaimDetails = no_details
    sentences: ClaimDetails = no_details
    price: ClaimDetails = no_details
    ending: Callable[[Evidence], list[str]] = no_ending
    one_by_one: bool = False


TERMS: ByKind[VerdictTerms] = ByKind("engine.stats.verdicts")
