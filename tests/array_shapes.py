"""Check the shapes in annotations at each call, and nothing else of them."""

from collections.abc import Callable
from typing import get_args

from beartype import beartype
from jaxtyping import AbstractArray

# Rooms whose arrays say their shapes; `conftest` has every call in a test checked.
ROOMS = (
    "engine.algorithms.search",
    "engine.data.user.knowledge_records",
    "engine.knowledge",
    "engine.learners.search",
    "engine.protocol.search",
    "engine.protocol.spaces",
    "engine.runner.films.space_maps",
    "engine.runner.memory_trial_evaluator",
    "engine.tasks.search",
)


def check_arrays(function: Callable[..., object]) -> Callable[..., object]:
    """Let beartype see only annotations of arrays.

    Others may say what a reader needs to know, and not what Python would find: a knob
    is an int in the class's body and a field to pydantic.
    """
    kept = {n: hint for n, hint in function.__annotations__.items() if has_array(hint)}
    function.__annotations__ = kept
    return beartype(function) if kept else function


def has_array(hint: object) -> bool:
    """Whether an annotation is an array with a shape, or holds one.

    >>> import numpy as np
    >>> from jaxtyping import Float
    >>> has_array(tuple[int, Float[np.ndarray, "a b"] | None]), has_array(tuple[int])
    (True, False)
    """
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(has_array(part) for part in get_args(hint))
