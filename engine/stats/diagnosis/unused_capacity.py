"""Detector of knowledge bases and replay buffers whose capacity never binds."""

from collections.abc import Iterator

from engine.contract.run_spec import RunSpec
from engine.stats.block_table import BlockTable, is_trained
from engine.stats.diagnosis.finding import Finding

ENTRIES, REPLAYED = 10_000, 1000  # capacities that suffice: experiences, replays


def large_knowledge_base(table: BlockTable, spec: RunSpec) -> Iterator[Finding]:
    """27: the capacity is so large that it never limits what is stored."""
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
            evidence=f"It keeps at most {entries:,} experiences; {whose} had {seen:,}.",
            remedy=f"{enough:,} are enough if the best are always kept.",
        )


def _longest_search(table: BlockTable, spec: RunSpec, label: str) -> int:
    trained = table.test_values(label, "trained")
    return spec.budget.horizon if trained is None else int(trained.max())
