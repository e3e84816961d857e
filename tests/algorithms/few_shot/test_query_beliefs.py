"""What predictions say of each query, against torch's own distributions."""

import torch
from torch import distributions as known

from engine.algorithms.few_shot.query_beliefs import query_beliefs
from engine.protocol import Density, EpisodeBatch, Prediction
from engine.runner.context import RunContext
from tests.laws.small import learner_spec


def drawn(family: str) -> EpisodeBatch:
    context = RunContext(learner_spec("maml", family))
    tasks = context.draw(context.setting, "test", ("test", 0), 2)
    assert isinstance(tasks, EpisodeBatch)
    return tasks


def test_classes_are_believed_with_the_softmax_of_the_outputs() -> None:
    tasks = drawn("gaussian_classes")
    outputs = torch.randn(tasks.members, tasks.outputs, tasks.query.count)
    found = query_beliefs(tasks, Prediction(1, outputs))
    chances = known.Categorical(logits=outputs.movedim(1, -1)).probs
    best, chosen = chances.max(-1)
    torch.testing.assert_close(found["confidence"], best)
    assert torch.equal(found["right"], (chosen == tasks.query.y).float())


def test_a_mixture_gives_its_density_at_the_target_and_both_spreads() -> None:
    tasks = drawn("sinusoids")
    shape = (tasks.members, 3, tasks.query.count)
    mean, sd = torch.randn(shape), torch.rand(shape) + 0.5
    mixed = known.MixtureSameFamily(
        known.Categorical(logits=torch.zeros(tasks.members, tasks.query.count, 3)),
        known.Normal(mean.movedim(1, -1), sd.movedim(1, -1)),
    )
    outputs = mean.mean(1, keepdim=True)
    found = query_beliefs(tasks, Prediction(1, outputs, density=Density(mean, sd)))
    torch.testing.assert_close(found["log_density"], mixed.log_prob(tasks.query.y))
    torch.testing.assert_close(found["below"], mixed.cdf(tasks.query.y))
    torch.testing.assert_close(found["sd"], mixed.stddev)
    torch.testing.assert_close(found["component_sd"], mean.std(1, correction=0))


def test_a_single_normal_has_no_spread_between_components() -> None:
    tasks = drawn("sinusoids")
    mean = torch.zeros(tasks.members, 1, tasks.query.count)
    one = Prediction(1, mean, density=Density(mean, mean + 1.0))
    assert "component_sd" not in query_beliefs(tasks, one)


def test_a_learner_without_a_density_leaves_prediction_minus_target() -> None:
    tasks = drawn("sinusoids")
    outputs = torch.ones(tasks.members, 1, tasks.query.count)
    found = query_beliefs(tasks, Prediction(1, outputs))
    assert torch.equal(found["residual"], 1.0 - tasks.query.y)
