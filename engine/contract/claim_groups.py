"""The runs of a claim as a group: its id, and what sets each of its runs apart."""

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from engine.contract.run_spec import RunSpec
from engine.contract.sweep_grid import PARTS, Values

_ID_DIGITS = 12  # hex digits, as of a sweep's id


def claim_group_id(name: str) -> str:
    """Return the id of a claim's group; it follows from the claim's name alone.

    >>> len(claim_group_id("search_time"))
    12
    """
    return sha256(f"claim:{name}".encode()).hexdigest()[:_ID_DIGITS]


def values_apart(specs: Sequence[RunSpec]) -> list[Values]:
    """Return the values by path that set each spec apart from the others.

    Args:
        specs: Specs of one study, completed or not.

    Returns:
        One for each spec; empty where all are alike.
    """
    flat = [_values_by_path(spec) for spec in specs]
    paths = dict.fromkeys(path for values in flat for path in values)
    # As JSON, since a knob's value may be a list.
    apart = [
        path
        for path in paths
        if len({json.dumps(values.get(path)) for values in flat}) > 1
    ]
    return [{path: values[path] for path in apart if path in values} for values in flat]


def _values_by_path(spec: RunSpec) -> dict[str, Any]:
    """Return parts, knobs and budget by path, as a sweep's grid names them."""
    found: dict[str, Any] = {}
    for slot in PARTS:
        choice = getattr(spec, slot)
        found |= {slot: choice.name}
        found |= {f"{slot}.{knob}": value for knob, value in choice.knobs.items()}
    budget = spec.budget.model_dump(mode="json")
    found |= {f"budget.{field}": value for field, value in budget.items()}
    labels = ", ".join(learner.label for learner in spec.learners)
    return found | {"learners": labels, "replicates": spec.replicates}
