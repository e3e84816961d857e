"""Checks of what an inner rule returns, which a wrong shape would pass silently.

Torch stretches a tensor of shape (1, …) or a number over all members, so that a rule
that mixes members up would adapt, and be compared, as if nothing were wrong.
"""

from collections.abc import Mapping

from torch import Tensor

from engine.algorithms.few_shot.inner_rules import InnerRule
from engine.contract.errors import Refused
from engine.protocol import Weights


def with_checks(learner: str, rule: InnerRule) -> InnerRule:
    """Return a rule whose results are checked at each step.

    Args:
        learner: Name of the learner.
        rule: Its rule. The one returned raises `Refused` where a result is no
            dictionary of tensors, each of the shape of the weight of its name.
    """

    def checked_step(step: int, weights: Weights, grads: Weights) -> Weights:
        moved = rule(step, weights, grads)
        if not isinstance(moved, Mapping) or not moved:
            raise _refusal(learner, f"not {_describe(moved)}")
        for name, weight in moved.items():
            if name not in weights:
                known = ", ".join(map(repr, grads))
                raise _refusal(learner, f"and there is no weight {name!r}: {known}")
            shape = weights[name].shape
            if not isinstance(weight, Tensor) or weight.shape != shape:
                wanted = f"{name!r} has the shape {tuple(shape)}"
                raise _refusal(learner, f"{wanted}, not {_describe(weight)}")
        return moved

    return checked_step


def refuse_adaptation(learner: str, found: object) -> Refused:
    """Return the refusal of what an `adaptation` returned instead of an Adaptation."""
    return Refused(
        f"the learner {learner} must return Adaptation(start, rule) from adaptation, "
        "the initial weights by name and a function (step, weights, grads) → weights, "
        f"not {_describe(found)}",
        "learners",
    )


def _refusal(learner: str, what: str) -> Refused:
    return Refused(
        f"the inner rule of the learner {learner} must return the weights after the "
        f"step, a dictionary of tensors of the shapes that they had: {what}",
        "learners",
    )


def _describe(found: object) -> str:
    if isinstance(found, Tensor):
        return f"a tensor of shape {tuple(found.shape)}"
    if isinstance(found, Mapping) and not found:
        return "an empty one"
    return "None" if found is None else f"a {type(found).__name__}"
