"""The terms of the verdict on agents."""

from engine.contract.kinds import RL
from engine.stats.independent_units import learner_interval
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.kind_terms import TERMS, VerdictTerms, name_metric
from engine.stats.verdicts.verdict_inputs import Evidence
from engine.stats.verdicts.wording import format_count, format_interval


def _notes(run: Evidence, claim: Claim) -> list[str]:
    """Say what regret is, how long a trial is, and how soon both agents play well."""
    length = (
        "Regret is the reward that a trial lost to the best policy that knows the "
        f"task; a trial has {format_count(run.spec.budget.horizon, 'episode')}."
    )
    labels = (claim.learner, claim.against)
    goal = run.criterion.beside
    found = [learner_interval(run.table, run.spec, label, goal) for label in labels]
    if None in found:
        return [length]
    told = " against ".join(format_interval(each) for each in found if each is not None)
    shares = [run.table.test_values(label, "reached") for label in labels]
    known = [f"{100 * row.mean():.0f} %" for row in shares if row is not None]
    goal_words = "Episodes to the goal, 10 % of the regret of random actions"
    reached = f"{' and '.join(known)} of the trials reach it"
    return [length, f"{goal_words}: {told} ({reached})."]


def _metric(run: Evidence, name: str) -> str:
    """Return "regret" where it decides; of what, the notes say."""
    rule = run.criterion
    return rule.called if name == rule.deciding else name_metric(run, name)


TERMS[RL.name] = VerdictTerms(metric=_metric, notes=_notes)
