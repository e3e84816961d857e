"""The terms of a verdict: what each kind of task says in its own way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.contract.appearance import name_in_words
from engine.contract.kinds import ByKind
from engine.contract.runs import LearnerChoice, RunSpec
from engine.stats.claims import Claim
from engine.stats.verdicts.evidence import Evidence, better_first
from engine.stats.verdicts.wording import conjugate_be

NameLearners = Callable[[RunSpec, Mapping[str, str] | None], dict[str, str]]
DescribeRun = Callable[[Evidence], str]
DescribeClaim = Callable[[Evidence, Claim], str]
ClaimDetails = Callable[[Evidence, Claim], list[str]]


def name_winner(run: Evidence, claim: Claim) -> str:
    """Say who is better, such as "MAML is better than Reptile"."""
    ahead, behind = better_first(claim)
    mine, other = run.names[ahead], run.names[behind]
    if claim.call != "no difference":
        return f"{mine} {conjugate_be(mine)} better than {other}"
    sure = "no" if claim.equivalent else "no significant"
    within = f" to within {run.criterion.within}" if claim.equivalent else ""
    return f"{sure} difference between {mine} and {other}{within}"


def name_rival(run: Evidence, claim: Claim) -> str:
    """Return what the baseline that decides is called."""
    return run.names[claim.against]


def spell_family(_: RunSpec, name: str) -> str:
    """Return what another family is called."""
    return name_in_words(name)


def no_details(_run: Evidence, _here: Claim) -> list[str]:
    """Add nothing about a claim."""
    return []


def no_ending(_: Evidence) -> list[str]:
    """Add nothing about a run."""
    return []


@dataclass(frozen=True)
class VerdictTerms:
    """What the writer asks of a kind of task; it says the rest itself.

    Args:
        sample: One of these alone allows no verdict.
        names: Names the learners, by label.
        head: Says where the learners met, such as "On unseen sinusoids".
        levels: Says the levels of learners that have no rival.
        description: Says two levels that no test can compare.
        facts: What stands in brackets behind the finding: levels, gap, sizes.
        finding: Says who is better.
        rival: Names the baseline that decides.
        family_name: Names another family, by its name in a condition.
        clauses: More about the finding, within its sentence.
        sentences: More about it, after its sentence.
        price: Says what was spent before the tests, after the other conditions.
        ending: Closes the verdict, whoever was compared.
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
