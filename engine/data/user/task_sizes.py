"""Sentences that explain what a task takes from the user's data."""

from collections.abc import Mapping, Sequence
from typing import Any


def explain_rows(examples: int, held_out: int, classes: Sequence[str]) -> str:
    """Return what a task takes from a table.

    >>> explain_rows(30, 15, ("a", "b"))
    'a task trains on 30 rows and is judged on 15 others, of 2 classes'
    """
    of = f", of {len(classes):,} classes" if classes else ""
    return (
        f"a task trains on {examples:,} rows and is judged on {held_out:,} others{of}"
    )


def explain_episodes(knobs: Mapping[str, Any]) -> str:
    """Return what an episode takes, from the knobs that `episode_sizes` gives.

    >>> explain_episodes({"use": "split", "ways": 5, "shots": 1, "queries": 15})
    'a task tells 5 classes apart from 1 example of each, and is judged on 15 more'
    """
    noun = "example" if knobs["shots"] == 1 else "examples"
    text = (
        f"a task tells {knobs['ways']} classes apart from {knobs['shots']} {noun} of "
        f"each, and is judged on {knobs['queries']} more"
    )
    if knobs["use"] == "split":
        return text
    return f"{text}; training is on another family, as there are few classes here"
