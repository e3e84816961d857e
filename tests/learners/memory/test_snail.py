from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from engine.contract.rng import Rng
from engine.learners.memory.snail import Snail
from engine.protocol import EpisodeBatch, Meta, Weights
from tests.learners.clouds import answered, begun, clouds, shuffled, slope, waves
from tests.learners.memory.revealed import change_example, revealed, with_other_targets

SMALL = Snail(filters=4, keys=6, values=3)


@pytest.mark.parametrize("draw", [clouds, waves])
def test_its_gradient_is_that_of_its_loss(draw: object) -> None:
    tasks = draw()  # type: ignore[operator]
    weights = begun(SMALL, tasks)

    def loss(theta: Weights) -> float:
        out = answered(SMALL, tasks, theta)
        return tasks.each_loss(out, tasks.query.y).mean().item()

    for name in ("w0", "sequence.wread0", "sequence.wpast0.1", "sequence.bnow1.0"):
        found, expected = slope(SMALL, weights, tasks, name, loss)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-8)


def test_online_answers_do_not_depend_on_later_examples() -> None:
    tasks = revealed(waves())
    weights = begun(SMALL, tasks)
    one = answered(SMALL, tasks, weights)
    for changed in range(5):
        two = answered(SMALL, change_example(tasks, changed), weights)
        assert torch.equal(one[..., :changed], two[..., :changed])
        assert (one != two)[..., changed:].all()


@pytest.mark.parametrize("draw", [clouds, waves])
def test_no_answer_depends_on_a_target_of_a_query(draw: object) -> None:
    tasks = draw()  # type: ignore[operator]
    weights = begun(SMALL, tasks)
    one = answered(SMALL, tasks, weights)
    assert torch.equal(one, answered(SMALL, with_other_targets(tasks), weights))


@pytest.mark.parametrize("shots", [5, 3, 9])
def test_each_query_is_the_last_item_of_a_causal_sequence(shots: int) -> None:
    """Against a plain implementation: convolutions by `conv1d`, item after item."""
    tasks = waves()
    weights = begun(SMALL, tasks)
    longer = tasks.support.map(lambda t: torch.cat([t, t.flip(-1)], -1))
    other = replace(tasks, support=longer.cut(0, shots))
    found = answered(SMALL, other, weights)
    theta = {name: value[0] for name, value in weights.items()}
    for member in range(2):
        for asked in range(3):
            expected = plain_answer(theta, other, member, asked)
            torch.testing.assert_close(found[member, :, asked], expected)


def plain_answer(
    theta: Weights, tasks: EpisodeBatch, member: int, asked: int
) -> torch.Tensor:
    """Return the answer to one query of one episode, read as one sequence."""
    body = {k: v.unsqueeze(0) for k, v in theta.items() if k in tasks.body.names}
    inputs = torch.cat(
        [tasks.support.x[member], tasks.query.x[member, :, asked : asked + 1]], 1
    )
    features = tasks.net.apply(body, inputs.unsqueeze(0))[0]
    y, zero = tasks.support.y[member], torch.zeros(1, dtype=features.dtype)
    known = torch.cat([torch.ones_like(y), zero])
    h = torch.cat([features, torch.stack([torch.cat([y, zero]), known])])
    for block in range(3):
        h = torch.cat([h, plain_attention(theta, block, h)])
        # Of 5 examples there are convolutions of dilation 1, 2 and 4.
        for layer in range(3 if block < 2 else 0):
            pair = [theta[f"sequence.w{k}{block}.{layer}"] for k in ("past", "now")]
            kernel = torch.stack(pair, 2)
            padded = F.pad(h, (2**layer, 0)).unsqueeze(0)
            bias = theta[f"sequence.bnow{block}.{layer}"]
            both = F.conv1d(padded, kernel, bias, dilation=2**layer)[0]
            part, gate = both.chunk(2)
            h = torch.cat([h, part.tanh() * gate.sigmoid()])
    return theta["sequence.wout"] @ h[:, -1] + theta["sequence.bout"]


def plain_attention(theta: Weights, block: int, h: torch.Tensor) -> torch.Tensor:
    """Return what PyTorch's causal attention reads."""
    weight, bias = (theta[f"sequence.{k}read{block}"] for k in "wb")
    query, key, value = (weight @ h + bias.unsqueeze(1)).T.split((6, 6, 3), 1)
    return F.scaled_dot_product_attention(query, key, value, is_causal=True).T


def test_the_order_of_the_support_matters() -> None:
    tasks = waves()
    weights = begun(SMALL, tasks)
    one = answered(SMALL, tasks, weights)
    two = answered(SMALL, shuffled(tasks, [1, 0, 2, 3, 4]), weights)
    assert (one - two).abs().min() > 1e-7


def test_episodes_are_trained_on_in_another_order_each_step() -> None:
    tasks = clouds()
    orders = []
    for step in range(3):
        found = SMALL.training_tasks(tasks, Rng(1).child(step))
        assert isinstance(found, EpisodeBatch)
        at = (found.support.x[0].T[:, None] == tasks.support.x[0].T).all(2).int()
        order = at.argmax(1).tolist()
        assert sorted(order) == list(range(12)) and order != sorted(order)
        assert torch.equal(found.support.y, tasks.support.y[:, order])
        assert torch.equal(found.query.x, tasks.query.x)
        orders.append(order)
    assert orders[0] != orders[1] != orders[2]


def test_the_order_of_online_episodes_is_kept() -> None:
    tasks = revealed(waves())
    assert SMALL.training_tasks(tasks, Rng(1)) is tasks


def test_other_ways_are_a_reason_why_not() -> None:
    tasks = clouds()
    meta = Meta(begun(SMALL, tasks), {})
    assert SMALL.why_not(meta, tasks) is None
    assert "4 ways" in (SMALL.why_not(meta, clouds(ways=3)) or "")


def test_its_attention_is_a_map_of_examples_for_each_query() -> None:
    tasks = waves()
    found = SMALL.inspect(Meta(begun(SMALL, tasks), {}), tasks)["attention"]
    assert found.axes == ("query", "example")
    assert found.values.shape == (1, 6, 5)
