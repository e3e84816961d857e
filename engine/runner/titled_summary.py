"""The summary of a run, which names parts by the titles on their cards."""

from collections.abc import Iterable

from engine.catalogue import find_card
from engine.contract.events import Block
from engine.contract.part_titles import part_titles
from engine.contract.run_spec import RunSpec
from engine.stats import run_summary


def summarize_run(
    blocks: Iterable[Block], spec: RunSpec
) -> dict[str, run_summary.Json]:
    """Summarize a run from its blocks; see `engine.stats.run_summary`."""
    return run_summary.summarize(blocks, spec, titles=resolve_titles(spec))


def resolve_titles(spec: RunSpec) -> dict[str, str]:
    """Return the titles of a run's parts, by part name."""
    return part_titles(spec, find_card)
