"""Pitfall of memories: a bound so wide that nothing is ever forgotten."""

from collections.abc import Iterator

from engine.contract.runs import RunSpec
from engine.stats.block_table import Table, is_trained
from engine.stats.diagnosis.finding import Finding

ENTRIES, REPLAYED = 10_000, 1000


def large_base(table: Table, spec: RunSpec) -> Iterator[Finding]:
    """27: what is remembered is bounded by so much that it is not bounded."""
    for learner in spec.learners:
        entries, replay = (learner.knobs.get(n) for n in ("capacity", "replay"))
        if not isinstance(entries, int) or replay == 0:
            continue
        if replay is None and not is_trained(table, spec, learner.label):
            continue
        if replay is None:
            seen, enough = table.spent(learner.label, "train"), ENTRIES
            flagged, whose = min(entries, seen) > enough, "each training"
        else:  # replays are of one search, and forgotten after it
            seen, enough = _longest(table, spec, learner.label), REPLAYED
            flagged, whose = entries >= seen > enough, "a search"
        yield Finding(
            *(27, "Growing buffer", learner.label),
            flagged=flagged,
            evidence=f"It keeps at most {entries:,} experiences of the {seen:,} that "
            f"{whose} had.",
            remedy=f"{enough:,} are plenty where the best are always kept.",
        )


def _longest(table: Table, spec: RunSpec, label: str) -> int:
    trained = table.tests(label, "trained")
    return spec.budget.horizon if trained is None else int(trained.max())
