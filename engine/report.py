"""The summary of a run, its parts called by the titles on their cards."""

from collections.abc import Iterable

from engine.catalogue import cards
from engine.contract.blocks import Block
from engine.contract.errors import Refused
from engine.contract.runs import RunSpec
from engine.stats import summary


def summarize(blocks: Iterable[Block], spec: RunSpec) -> dict[str, summary.Json]:
    """Summarize a run from its blocks; see `engine.stats.summary`."""
    return summary.summarize(blocks, spec, titles=titles(spec))


def titles(spec: RunSpec) -> dict[str, str]:
    """Return what the learners of a run are called, by part name.

    One that came with an import and is not here has none.
    """
    found = {}
    for choice in spec.learners:
        try:
            found[choice.name] = cards("learner", choice.name).title
        except Refused:
            continue
    return found
