"""The terms of the verdict on agents."""

from engine.contract.kinds import RL
from engine.stats.independent_units import learner_interval
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.kind_terms import TERMS, VerdictTerms
from engine.stats.verdicts.verdict_inputs import Evidence
from engine.stats.verdicts.wording import format_count, format_interval


def _notes(run: Evidence, claim: Claim) -> list[str]:
    """Say how long a trial is, and how soon both agents reach the goal."""
    length = f"A trial has {format_count(run.spec.budget.horizon, 'episode')}."
    labels = (claim.learner, claim.against)
    goal = run.criterion.beside
    found = [learner_interval(run.table, run.spec, label, goal) for label in labels]
    if None in found:
        return [length]
    told = " against ".join(format_interval(each) for each in found if each is not None)
    shares = [run.table.test_values(label, "reached") for label in labels]
    known = [f"{row.mean():.0%}" for row in shares if row is not None]
    reached = f" ({' and '.join(known)} of the trials reach it)"
    return [length, f"Episodes to the goal: {told}{reached}."]


TERMS[RL.name] = VerdictTerms(notes=_notes)
