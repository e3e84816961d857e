from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch

from engine.algorithms.few_shot.online_episodes import predict_prefixes
from engine.contract.errors import Refused
from engine.learners.memory.transformer import Transformer
from engine.nets.mlp import Mlp
from engine.protocol import EpisodeBatch, Meta, Prediction, Weights
from engine.protocol.member_chunks import broadcast_to_members
from engine.tasks.few_shot.linear_regression import LinearRegression
from tests.learners.clouds import (
    answered,
    begun,
    clouds,
    drawn_from,
    lesson_gradient,
    shuffled,
    slope,
    waves,
)
from tests.learners.memory.one_step_descent import best_step, one_step_error
from tests.learners.memory.revealed import change_example, revealed, with_other_targets

RAW = Mlp(depth=0)
KINDS: list[dict[str, Any]] = [
    {},
    {"positions": "learned"},
    {"attention": "linear"},
    {"attention": "linear", "hidden": 0, "heads": 1, "layers": 1},
]


def small(**knobs: Any) -> Transformer:
    return Transformer(**{"width": 8, "heads": 2, "hidden": 8, **knobs})


def descent(tasks: EpisodeBatch, step: float) -> Weights:
    """Return weights with which a linear layer is one step of gradient descent."""
    size = tasks.support.x.shape[1]
    weights = begun(one_layer(size), tasks)
    found = {name: torch.zeros_like(value) for name, value in weights.items()}
    inputs = torch.arange(size)
    found["sequence.win"][0] = torch.eye(size + 2, dtype=torch.float64)
    # Queries, keys and values lie one after the other, as many as there are channels.
    for first in (0, size + 2):
        found["sequence.wread0"][0, first + inputs, inputs] = 1.0
    # The value is the target; what is read is added to the target's channel.
    found["sequence.wread0"][0, 2 * (size + 2) + size, size] = step
    found["sequence.wo0"][0, size, size] = 1.0
    found["sequence.wout"][0, 0, size] = 1.0
    return found


def one_layer(size: int) -> Transformer:
    return Transformer(
        attention="linear", layers=1, heads=1, hidden=0, width=max(4, size + 2)
    )


@pytest.mark.parametrize("knobs", KINDS)
@pytest.mark.parametrize("draw", [clouds, waves])
def test_its_gradient_is_that_of_its_loss(draw: object, knobs: dict[str, Any]) -> None:
    tasks, learner = draw(), small(**knobs)  # type: ignore[operator]
    weights = begun(learner, tasks)

    def loss(theta: Weights) -> float:
        out = answered(learner, tasks, theta)
        return tasks.each_loss(out, tasks.query.y).mean().item()

    for name in ("w0", "sequence.win", "sequence.wread0", "sequence.wo0"):
        found, expected = slope(learner, weights, tasks, name, loss)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("attention", ["softmax", "linear"])
def test_the_order_of_the_support_does_not_matter(attention: str) -> None:
    tasks, learner = clouds(), small(attention=attention)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(2)).tolist()
    weights = begun(learner, tasks)
    one = answered(learner, tasks, weights)
    two = answered(learner, shuffled(tasks, order), weights)
    torch.testing.assert_close(one, two, rtol=0, atol=1e-10)


def test_learned_positions_tell_the_order() -> None:
    tasks, learner = waves(), small(positions="learned")
    weights = begun(learner, tasks)
    draw = torch.Generator().manual_seed(1)
    places = torch.randn(1, 8, 6, generator=draw, dtype=torch.float64)
    weights |= {"sequence.bplace": places}
    one = answered(learner, tasks, weights)
    two = answered(learner, shuffled(tasks, [1, 0, 2, 3, 4]), weights)
    assert (one - two).abs().min() > 1e-6


@pytest.mark.parametrize("knobs", KINDS)
@pytest.mark.parametrize("draw", [clouds, waves])
def test_no_answer_depends_on_a_target_of_a_query(
    draw: object, knobs: dict[str, Any]
) -> None:
    tasks, learner = draw(), small(**knobs)  # type: ignore[operator]
    weights = begun(learner, tasks)
    one = answered(learner, tasks, weights)
    assert torch.equal(one, answered(learner, with_other_targets(tasks), weights))


@pytest.mark.parametrize("knobs", KINDS)
def test_a_query_does_not_see_the_other_queries(knobs: dict[str, Any]) -> None:
    tasks, learner = waves(), small(**knobs)
    weights = begun(learner, tasks)
    alone = replace(tasks, query=tasks.query.cut(2, 3))
    both = answered(learner, tasks, weights)[..., 2:3]
    torch.testing.assert_close(answered(learner, alone, weights), both)


@pytest.mark.parametrize("knobs", KINDS)
def test_online_answers_do_not_depend_on_later_examples(knobs: dict[str, Any]) -> None:
    tasks, learner = revealed(waves()), small(**knobs)
    weights = begun(learner, tasks)
    one = answered(learner, tasks, weights)
    for changed in range(5):
        two = answered(learner, change_example(tasks, changed), weights)
        assert torch.equal(one[..., :changed], two[..., :changed])
        assert (one != two)[..., changed:].all()


def test_one_layer_answers_online_as_if_asked_again_after_each_example() -> None:
    tasks, learner = revealed(waves()), small(layers=1)
    theta = broadcast_to_members(begun(learner, tasks), tasks.members)

    def predict(theta: Weights, tasks: EpisodeBatch) -> Iterator[Prediction]:
        return learner.predict(theta, tasks)

    (one,) = learner.predictions(theta, tasks)
    (two,) = predict_prefixes(predict, theta, tasks)
    # The first query comes before any example; `predict_prefixes` does not ask it.
    torch.testing.assert_close(one.query_outputs[..., 1:], two.query_outputs[..., 1:])


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_linear_attention_can_be_the_best_step_of_gradient_descent(
    noise: float,
) -> None:
    family = LinearRegression(dimensions=3, shots=8, queries=4, noise=noise)
    tasks = drawn_from(family, 4000, RAW)
    step = best_step(3, 8, noise)
    out = answered(one_layer(3), tasks, descent(tasks, step))
    x, y = tasks.support.x, tasks.support.y
    expected = step * (x @ y.unsqueeze(2) / 8).mT @ tasks.query.x
    torch.testing.assert_close(out, expected)
    each = tasks.each_loss(out, tasks.query.y).mean(1)
    error = one_step_error(step, 3, 8, noise)
    assert abs(each.mean().item() - error) < 4 * each.std().item() / 4000**0.5
    assert error == pytest.approx(1 - step + noise**2)
    for other in (0.9 * step, 1.1 * step):
        assert one_step_error(other, 3, 8, noise) > error


def test_the_best_step_is_a_stationary_point_of_meta_training() -> None:
    tasks = drawn_from(LinearRegression(dimensions=3, shots=8), 4000, RAW)
    learner = one_layer(3)

    def slope_at(step: float) -> float:
        found = lesson_gradient(learner, Meta(descent(tasks, step), {}), tasks)
        return found["sequence.wread0"][0, 13, 3].item()

    step = best_step(3, 8)
    # The slope of 1 − 2η + η² / η* is 2 (η / η* − 1): ± 0.2 at a tenth beside.
    assert abs(slope_at(step)) < 0.06
    assert slope_at(0.9 * step) < -0.1 and slope_at(1.1 * step) > 0.1


def test_other_ways_are_a_reason_why_not() -> None:
    learner, tasks = small(), clouds()
    meta = Meta(begun(learner, tasks), {})
    assert learner.why_not(meta, tasks) is None
    assert "4 ways" in (learner.why_not(meta, clouds(ways=3)) or "")


def test_a_width_that_the_heads_do_not_divide_is_refused() -> None:
    with pytest.raises(Refused, match="choose 9"):
        begun(small(width=10, heads=3), waves())


def test_its_attention_is_a_map_of_examples_for_each_query() -> None:
    tasks, learner = waves(), small()
    found = learner.inspect(Meta(begun(learner, tasks), {}), tasks)["attention"]
    assert found.axes == ("query", "example")
    assert found.values.shape == (1, 6, 5)
    # The rest is the attention of a query to itself.
    assert (found.values > 0).all() and (found.values.sum(2) < 1).all()
