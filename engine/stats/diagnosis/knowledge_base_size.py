"""Pitfall of memories: a bound so wide that nothing is ever forgotten."""

from collections.abc import Iterator

from engine.contract.runs import RunSpec
from engine.stats.block_table import BlockTable, is_trained
from engine.stats.diagnosis.finding import Finding

ENTRIES, REPLAYED = 10_000, 1000


def large_knowledge_base(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """27: what is remembered is bounded by so much that it is not bounded."""
    for learner in spec.learners:
        entries, replay = (learner.knobs.get(n) for n in ("capacity", "replay"))
        if not isinstance(entries, int) or replay == 0:
            continue
        if replay is None and not is_trained(table, spec, learner.label):
            continue
        if replay is None:
            seen, enough = table.gradients_spent(learner.label, "train"), ENTRIES
            flagged, whose = min(entries, seen) > enough, "each training"
        else:  # replays are of one search, and forgotten after it
            seen, enough = _longest_search(table, spec, learner.label), REPLAYED
            flagged, whose = entries >= seen > enough, "a search"
        yield Finding(
            27,
            "Growing buffer",
            learner.label,
            flagged=flagged,
            evidence=f"It keeps at most {entries:,} experiences of the {seen:,} that "
            f"{whose} had.",
            remedy=f"{enough:,} are plenty where the best are always kept.",
        )


def _longest_search(table: BlockTable, spec: RunSpec, label: str) -> int:
    trained = table.test_values(label, "trained")
    return spec.budget.horizon if trained is None else int(trained.max())
