"""The comparisons of a run, one row each, with their intervals."""

from collections.abc import Mapping

from app.charts.optimization import condition_title
from app.client.client import Run
from app.figures.call_style import CALL_STYLES
from engine.stats.learner_claims import Claim
from engine.stats.verdicts.claim_words import (
    format_difference,
    format_percent,
    format_sample,
    has_interval,
)
from engine.stats.verdicts.wording import capitalize_first, learner_names, name_of


def comparison_rows(run: Run, titles: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a run's comparisons by the deciding metric, the primary question first.

    Args:
        run: A finished run.
        titles: Titles of parts, by name.
    """
    deciding = run.table.criterion.deciding
    claims = [c for c in run.claims if c.metric == deciding]
    claims.sort(key=lambda claim: not claim.primary)
    names = learner_names(run.spec, titles)
    return [_row(run, claim, names, titles) for claim in claims]


def _row(
    run: Run, claim: Claim, names: Mapping[str, str], titles: Mapping[str, str]
) -> dict[str, str]:
    rule = run.table.criterion
    better = "more" if rule.share else "less"
    level = format_percent(claim.level) if has_interval(claim) else "–"
    return {
        "Learner": capitalize_first(name_of(names, claim.learner)),
        "Against": name_of(names, claim.against),
        "Tested": condition_title(claim.condition, run.spec, titles),
        "Call": f"{CALL_STYLES[claim.call].sign} {claim.call}",
        f"Difference in {rule.called} ({better} is better)": format_difference(
            claim, rule
        ),
        "Level": level,
        "n": format_sample(claim, run.kind.words.tests),
        "Diverged": " : ".join(f"{lost:,}" for lost in claim.diverged),
        "Primary": "yes" if claim.primary else "",
    }
