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
    """Return what the family and the learners of a run are called, by part name.

    One that came with an import and is not here has none.
    """
    parts = [("family", spec.family.name)]
    parts += [("learner", choice.name) for choice in spec.learners]
    found = {}
    for slot, name in parts:
        try:
            found[name] = cards(slot, name).title
        except Refused:
            continue
    return found
