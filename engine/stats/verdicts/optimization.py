"""The terms of the verdict on optimization tasks.

Tasks with held-out data are judged on the held-out loss, bare functions on the loss
that is minimized. Steps to the threshold stand beside it.
"""

from engine.contract.kinds import OPTIMIZATION
from engine.stats.inference.metric_intervals import metric_interval
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.kind_terms import TERMS, VerdictTerms, name_metric
from engine.stats.verdicts.verdict_inputs import Evidence
from engine.stats.verdicts.wording import format_interval

_METRICS = {"area": "training loss", "held_log_loss": "held-out loss"}


def _name_metric(run: Evidence, name: str) -> str:
    return _METRICS.get(name) or name_metric(run, name)


def _notes(run: Evidence, claim: Claim) -> list[str]:
    """Return the steps to the threshold of both learners, if there is one."""
    if run.threshold is None:
        return []
    pair = (claim.learner, claim.against)
    rows = [run.table.test_values(label, run.criterion.beside) for label in pair]
    steps = [row for row in rows if row is not None]
    if len(steps) < len(pair):
        return []
    if run.none_reached(pair):
        return [f"Neither reached the threshold in {steps[0].max():.0f} steps."]
    levels = [
        format_interval(metric_interval(run.criterion.beside, row)) for row in steps
    ]
    return [f"Steps to the threshold: {' against '.join(levels)}."]


TERMS[OPTIMIZATION.name] = VerdictTerms(metric=_name_metric, notes=_notes)
