"""The terms of the verdict on agents."""

from engine.contract.kinds import RL
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.kind_terms import TERMS, VerdictTerms
from engine.stats.verdicts.verdict_inputs import Evidence


def _notes(run: Evidence, claim: Claim) -> list[str]:
    """Say how long a trial is."""
    episodes = run.spec.budget.horizon
    return [f"A trial has {episodes} episode{'s' * (episodes > 1)}."]


TERMS[RL.name] = VerdictTerms(notes=_notes)
