"""Titles of the parts that a run uses."""

from engine.contract.errors import Refused
from engine.contract.run_spec import CardLookup, RunSpec


def part_titles(spec: RunSpec, cards: CardLookup) -> dict[str, str]:
    """Return the titles of a run's family and learners, by part name.

    A part of an imported run that does not exist here is left out.
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
