"""The summary of a run, its parts called by the titles on their cards."""

from collections.abc import Iterable

from engine.catalogue import cards
from engine.contract.blocks import Block
from engine.contract.runs import RunSpec, part_titles
from engine.stats import run_summary


def summarize(blocks: Iterable[Block], spec: RunSpec) -> dict[str, run_summary.Json]:
    """Summarize a run from its blocks; see `engine.stats.run_summary`."""
    return run_summary.summarize(blocks, spec, titles=titles(spec))


def titles(spec: RunSpec) -> dict[str, str]:
    """Return what the parts of a run are called here, by part name."""
    return part_titles(spec, cards)
