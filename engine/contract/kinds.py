"""Every kind of task, in words."""

from collections.abc import Iterable

_LEARNS = {
    "landscapes": "learns optimizers",
    "episodes": "learns few-shot tasks",
    "spaces": "searches architectures",
}
_FAMILIES = {
    "landscapes": "an optimizer family",
    "episodes": "a few-shot family",
    "spaces": "an architecture family",
}


def mismatch(learner: str, solves: Iterable[str], family: str, kind: str) -> str:
    """Say that a learner is for another kind of task than a family draws.

    >>> mismatch("lr_scale", ["landscapes"], "sinusoids", "episodes")
    'lr_scale learns optimizers; sinusoids is a few-shot family'
    """
    does = " or ".join(_LEARNS[each] for each in sorted(solves))
    return f"{learner} {does}; {family} is {_FAMILIES[kind]}"
