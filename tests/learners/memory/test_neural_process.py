"""Neural processes: sets, not sequences; densities; contexts of every length."""

from dataclasses import replace

import pytest
import torch

from engine.algorithms.few_shot.inspected_episodes import SIDE
from engine.algorithms.few_shot.online_episodes import predict_prefixes
from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.learners.memory.neural_process import NeuralProcess
from engine.protocol import EpisodeBatch, Meta, Prediction, Weights
from engine.protocol.member_chunks import broadcast_to_members
from engine.tasks.few_shot.sinusoids import Sinusoids
from tests.learners.clouds import (
    answered,
    begun,
    clouds,
    drawn_from,
    shuffled,
    slope,
    waves,
)

MEAN = NeuralProcess(width=8, heads=2)
ATTENTIVE = NeuralProcess(width=8, heads=2, aggregation="attention")
BOTH = pytest.mark.parametrize("learner", [MEAN, ATTENTIVE], ids=["mean", "attention"])


def prediction(learner: NeuralProcess, tasks: EpisodeBatch) -> Prediction:
    """Return what an untrained learner predicts."""
    theta = broadcast_to_members(begun(learner, tasks), tasks.members)
    (found,) = learner.predict(theta, tasks)
    return found


@BOTH
@pytest.mark.parametrize("draw", [clouds, waves])
def test_the_order_of_the_support_does_not_matter(
    learner: NeuralProcess, draw: object
) -> None:
    tasks = draw()
    order = torch.randperm(
        tasks.support.count, generator=torch.Generator().manual_seed(2)
    )
    other = shuffled(tasks, order.tolist())
    one, two = answered(learner, tasks), answered(learner, other)
    torch.testing.assert_close(one, two, rtol=0, atol=1e-12)


def test_attention_that_cannot_tell_examples_apart_is_the_mean() -> None:
    tasks = waves()
    weights = begun(ATTENTIVE, tasks)
    blind = weights | {"key.w0": torch.zeros_like(weights["key.w0"])}
    one, two = answered(ATTENTIVE, tasks, blind), answered(MEAN, tasks, weights)
    torch.testing.assert_close(one, two, rtol=0, atol=1e-12)
    assert (answered(ATTENTIVE, tasks, weights) - two).abs().max() > 1e-3


@BOTH
def test_one_pass_over_an_online_episode_is_one_pass_for_each_prefix(
    learner: NeuralProcess,
) -> None:
    tasks = waves()
    online = replace(tasks, query=tasks.support, online=True)
    weights = broadcast_to_members(begun(learner, tasks), tasks.members)
    (once,) = learner.predict(weights, online)
    (each,) = predict_prefixes(learner.predict, weights, online)
    torch.testing.assert_close(
        once.query_outputs[..., 1:], each.query_outputs[..., 1:], rtol=0, atol=1e-12
    )
    assert once.density is not None and each.density is not None
    torch.testing.assert_close(once.density.sd[..., 1:], each.density.sd[..., 1:])
    # The first query comes before any example: no target can move its answer.
    other = replace(online, support=replace(online.support, y=online.support.y + 1.0))
    (moved,) = learner.predict(weights, other)
    assert torch.equal(once.query_outputs[..., 0], moved.query_outputs[..., 0])
    assert once.query_outputs[..., 0].isfinite().all()


@BOTH
@pytest.mark.parametrize("name", ["w0", "encoder.w0", "decoder.b2"])
@pytest.mark.parametrize("draw", [clouds, waves])
def test_it_is_trained_by_the_negative_log_likelihood(
    learner: NeuralProcess, name: str, draw: object
) -> None:
    tasks = draw()
    weights = begun(learner, tasks)

    def loss(theta: Weights) -> float:
        own = broadcast_to_members(theta, tasks.members)
        (found,) = learner.predict(own, tasks)
        if tasks.has_classes:
            rows = found.query_outputs.mT.flatten(0, 1)
            belief = torch.distributions.Categorical(logits=rows)
            return -belief.log_prob(tasks.query.y.flatten()).mean().item()
        assert found.density is not None
        normal = torch.distributions.Normal(found.density.mean, found.density.sd)
        return -normal.log_prob(tasks.query.y.unsqueeze(1)).mean().item()

    found, expected = slope(learner, weights, tasks, name, loss)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


def test_no_doubt_is_smaller_than_its_floor() -> None:
    tasks = waves()
    weights = begun(NeuralProcess(least_sd=0.3), tasks)
    weights["decoder.b2"] = weights["decoder.b2"] - 1e3
    theta = broadcast_to_members(weights, tasks.members)
    (found,) = NeuralProcess(least_sd=0.3).predict(theta, tasks)
    assert found.density is not None
    assert (found.density.sd == 0.3).all()


def test_a_random_context_predicts_support_and_queries() -> None:
    tasks, seen = waves(), set()
    for step in range(40):
        view = MEAN.training_tasks(tasks, Rng(1).child(step))
        assert isinstance(view, EpisodeBatch)
        count = view.support.count
        assert torch.equal(view.support.x, tasks.support.x[..., :count])
        assert torch.equal(view.query.x[..., :5], tasks.support.x)
        assert torch.equal(view.query.y[..., 5:], tasks.query.y)
        seen.add(count)
    assert seen == {1, 2, 3, 4, 5}


def test_classes_and_online_episodes_keep_their_context() -> None:
    online = replace(waves(), query=waves().support, online=True)
    for tasks in (clouds(), online):
        assert MEAN.training_tasks(tasks, Rng(1)) is tasks


def test_a_recorded_map_of_attention_is_small_and_sums_to_1() -> None:
    many = drawn_from(Sinusoids(shots=70, queries=6))
    found = ATTENTIVE.inspect(Meta(begun(ATTENTIVE, many), {}), many)["attention"]
    assert found.values.shape == (1, 6, SIDE)
    few = waves()
    values = ATTENTIVE.inspect(Meta(begun(ATTENTIVE, few), {}), few)["attention"].values
    torch.testing.assert_close(values.sum(-1), torch.ones_like(values[..., 0]))
    assert MEAN.inspect(Meta(begun(MEAN, few), {}), few) == {}


def test_it_says_why_it_cannot_answer_other_ways_and_other_heads() -> None:
    meta = Meta(begun(MEAN, clouds()), {})
    assert MEAN.why_not(meta, clouds()) is None
    assert "4 ways and cannot answer 3" in (MEAN.why_not(meta, clouds(ways=3)) or "")
    with pytest.raises(Refused, match="not a multiple of 3 heads; choose 9"):
        begun(NeuralProcess(width=10, heads=3, aggregation="attention"), waves())
    # A mean has no heads.
    begun(NeuralProcess(width=10, heads=3), waves())
