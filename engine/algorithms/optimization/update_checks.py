"""Checks of what an update rule returns, which a wrong shape would pass silently.

Torch stretches a tensor of shape (1, weight) or a number over all members, so that a
rule that mixes members up would train, and be compared, as if nothing were wrong.
"""

from collections.abc import Mapping

from torch import Tensor

from engine.contract.errors import Refused


def check_direction(learner: str, found: object) -> None:
    """Check that a direction is a step and a state.

    Args:
        learner: Name of the optimizer.
        found: What its `direction` returned.

    Raises:
        Refused: If it is something else.
    """
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[1], Mapping):
        return
    given = _describe(found)
    if isinstance(found, tuple) and len(found) == 2:
        given = f"a state that is {_describe(found[1])}"
    raise Refused(
        f"the learner {learner} must return Direction(step, state), with a dictionary "
        f"of tensors as state, not {given}",
        "learners",
    )


def check_update(learner: str, update: object, weights: Tensor) -> None:
    """Check that an update has a number for each weight of each member.

    Args:
        learner: Name of the optimizer.
        update: What its rule returned.
        weights: Flat weights; shape (member, weight).

    Raises:
        Refused: If it is no tensor of that shape.
    """
    if isinstance(update, Tensor) and update.shape == weights.shape:
        return
    raise Refused(
        f"the learner {learner} must return a step of the weights' shape (member, "
        f"weight) = {tuple(weights.shape)}, a number for each weight of each member, "
        f"not {_describe(update)}",
        "learners",
    )


def check_in_place(learner: str, weights: Tensor, version: int) -> None:
    """Check that a rule has not changed the weights that it was shown.

    Args:
        learner: Name of the optimizer.
        weights: What it was shown.
        version: Their version before, as torch counts changes.

    Raises:
        Refused: If it has.
    """
    if weights._version != version:
        raise Refused(
            f"the learner {learner} changes inputs.weights in place; return a step "
            "instead, and work on a copy (inputs.weights.clone())",
            "learners",
        )


def _describe(found: object) -> str:
    if isinstance(found, Tensor):
        return f"a tensor of shape {tuple(found.shape)}"
    return "None" if found is None else f"a {type(found).__name__}"
