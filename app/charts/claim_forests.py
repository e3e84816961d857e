"""Charts of a run's claims: differences with their intervals, learner by learner."""

from dataclasses import replace

import plotly.graph_objects as go

from app.charts import training
from app.charts.figure_cache import get_or_make
from app.client.client import Run
from app.figures.learner_comparison import forest_figure
from engine.contract.run_spec import RunSpec
from engine.stats.block_table import IN_DISTRIBUTION
from engine.stats.family_names import family_title
from engine.stats.learner_claims import Claim


def claims_by_learner(run: Run) -> dict[tuple[str, str], list[Claim]]:
    """Return a finished run's claims by learner and metric, in the summary's order."""
    groups: dict[tuple[str, str], list[Claim]] = {}
    for claim in run.claims:
        named = _with_family_title(claim, run.spec)
        groups.setdefault((claim.learner, claim.metric), []).append(named)
    return groups


def forest_chart(
    run: Run, learner: str, metric: str, *, every: bool = True
) -> go.Figure:
    """Return the claims of a learner on a metric.

    Args:
        run: A finished run.
        learner: A label of `claims_by_learner`.
        metric: A metric of it.
        every: Whether rivals other than the main one are shown under conditions other
            than in distribution.
    """

    def make() -> go.Figure:
        shown = [
            claim
            for claim in claims_by_learner(run)[learner, metric]
            if every or claim.decisive or claim.condition == IN_DISTRIBUTION
        ]
        return training.clarify_units(run, forest_figure(shown, run.roles))

    return get_or_make(("forest", run.cache_key, learner, metric, every), make)


def _with_family_title(claim: Claim, spec: RunSpec) -> Claim:
    """Return a claim whose test family is named as it is shown."""
    at = claim.condition
    title = family_title(spec, at.family) if at.family else ""
    return replace(claim, condition=replace(at, family=title))
