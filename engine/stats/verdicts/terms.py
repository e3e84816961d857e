"""The terms of a verdict: what each kind of task says in its own way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.contract.appearance import name_in_words
from engine.contract.kinds import ByKind
from engine.contract.runs import LearnerChoice, RunSpec
from engine.stats.claims import Claim
from engine.stats.verdicts.evidence import Evidence, ordered
from engine.stats.verdicts.wording import be

Names = Callable[[RunSpec, Mapping[str, str] | None], dict[str, str]]
AboutRun = Callable[[Evidence], str]
AboutClaim = Callable[[Evidence, Claim], str]
MoreOfClaim = Callable[[Evidence, Claim], list[str]]


def who_is_better(run: Evidence, here: Claim) -> str:
    """Say who is better, such as "MAML is better than Reptile"."""
    ahead, behind = ordered(here)
    mine, other = run.names[ahead], run.names[behind]
    if here.call != "no difference":
        return f"{mine} {be(mine)} better than {other}"
    sure = "no" if here.equivalent else "no certain"
    within = f" to within {run.rule.within}" if here.equivalent else ""
    return f"{sure} difference between {mine} and {other}{within}"


def rival(run: Evidence, here: Claim) -> str:
    """Return what the baseline that decides is called."""
    return run.names[here.against]


def spelled_family(_: RunSpec, name: str) -> str:
    """Return what another family is called."""
    return name_in_words(name)


def no_more(_run: Evidence, _here: Claim) -> list[str]:
    """Add nothing about a claim."""
    return []


def no_ending(_: Evidence) -> list[str]:
    """Add nothing about a run."""
    return []


@dataclass(frozen=True)
class Terms:
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
    names: Names
    head: AboutRun
    levels: Callable[[Evidence, Sequence[LearnerChoice]], str]
    description: AboutClaim
    facts: MoreOfClaim
    finding: AboutClaim = who_is_better
    rival: AboutClaim = rival
    family_name: Callable[[RunSpec, str], str] = spelled_family
    clauses: MoreOfClaim = no_more
    sentences: MoreOfClaim = no_more
    price: MoreOfClaim = no_more
    ending: Callable[[Evidence], list[str]] = no_ending
    one_by_one: bool = False


TERMS: ByKind[Terms] = ByKind("engine.stats.verdicts")
