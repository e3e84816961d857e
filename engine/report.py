"""The summary of a run, its parts called by the titles on their cards."""

from collections.abc import Iterable

from engine.catalogue import cards
from engine.contract.blocks import Block
from engine.contract.runs import RunSpec
from engine.stats import summary


def summarize(blocks: Iterable[Block], spec: RunSpec) -> dict[str, summary.Json]:
    """Summarize a run from its blocks; see `engine.stats.summary`."""
    titles = {c.name: cards("learner", c.name).title for c in spec.learners}
    return summary.summarize(blocks, spec, titles=titles)
