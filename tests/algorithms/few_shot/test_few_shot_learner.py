"""What is measured of an answer, and how chunks of members add up."""

import torch

from engine.algorithms.few_shot.few_shot_learner import answer_metrics
from engine.nets.mlp import Mlp
from engine.protocol import Prediction
from tests.nets.drawing import episodes


def test_an_answer_with_one_number_that_is_none_is_neither_right_nor_wrong() -> None:
    tasks = episodes(Mlp(depth=1, width=4))
    right = torch.nn.functional.one_hot(tasks.query.y, 3).mT.double()
    broken = right.clone()
    broken[1, 2, 0] = torch.nan
    row = answer_metrics(tasks, Prediction(0, broken))
    assert row["query_accuracy"][0] == 1.0
    assert row["query_accuracy"][1].isnan()
