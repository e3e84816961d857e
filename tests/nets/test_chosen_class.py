"""The class with the highest score: numpy's own, and cheap over any axis."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from engine.algorithms.few_shot.few_shot_learner import answer_metrics
from engine.nets.mlp import Mlp
from engine.protocol import Prediction, chosen_class
from engine.tasks.optimization.mixtures import Mixtures
from tests.nets.drawing import episodes
from tests.tasks.drawing import drawn


class Calls(TorchDispatchMode):
    """Notes the tensor operations that are called."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.names.add(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("classes", [2, 3, 20])
def test_the_chosen_class_is_the_first_of_the_highest_and_nan_is_highest(
    classes: int,
) -> None:
    draw = np.random.default_rng(classes)
    scores = draw.integers(-2, 3, (30, classes, 40)).astype(np.float32)
    strange = [np.nan, np.inf, -np.inf]
    where = draw.random(scores.shape) < 0.1
    scores[where] = draw.choice(strange, int(where.sum()))
    found = chosen_class(torch.from_numpy(scores))
    np.testing.assert_array_equal(found.numpy(), scores.argmax(1))


def _held_out() -> dict[str, Tensor]:
    tasks = drawn(Mixtures())
    return tasks.measure(tasks.start(), 0)


def _queries() -> dict[str, Tensor]:
    tasks = episodes(Mlp(depth=1, width=4))
    out = torch.zeros(tasks.members, 3, tasks.query.count, dtype=torch.float64)
    return answer_metrics(tasks, Prediction(0, out))


@pytest.mark.parametrize(
    ("look", "metric"), [(_held_out, "accuracy"), (_queries, "query_accuracy")]
)
def test_no_measurement_searches_a_strided_axis(look: Any, metric: str) -> None:
    with Calls() as calls:
        found = look()
    assert metric in found and calls.names
    assert "argmax" not in calls.names
