from dataclasses import replace

import pytest
import torch

from engine.algorithms.few_shot.sequences import (
    context_positions,
    embed_sequence,
    encode_targets,
    make_tokens,
    token_size,
    visible_examples,
)
from engine.protocol import EpisodeBatch
from tests.learners.clouds import clouds, waves


def online(tasks: EpisodeBatch) -> EpisodeBatch:
    """Return the episodes with their support revealed one by one."""
    return replace(tasks, query=tasks.support, online=True)


def test_a_support_token_is_the_features_the_target_and_a_one() -> None:
    tasks = clouds()
    support, _ = make_tokens(tasks.support.x, tasks.query.x, tasks)
    assert support.shape == (3, token_size(6, tasks), 12) == (3, 6 + 4 + 1, 12)
    torch.testing.assert_close(support[:, :6], tasks.support.x)
    assert torch.equal(support[:, 6:10].argmax(1), tasks.support.y)
    assert (support[:, 6:10].sum(1) == 1).all() and (support[:, 10] == 1).all()


def test_the_target_of_a_function_is_its_value() -> None:
    tasks = waves()
    assert torch.equal(encode_targets(tasks)[:, 0], tasks.support.y)


@pytest.mark.parametrize("tasks", [clouds(), waves(), online(clouds())])
def test_no_target_of_a_query_is_in_its_token(tasks: EpisodeBatch) -> None:
    other = replace(tasks, query=replace(tasks.query, y=0 * tasks.query.y))
    (_, one), (_, two) = (
        make_tokens(some.support.x, some.query.x, some) for some in (tasks, other)
    )
    features = tasks.query.x.shape[1]
    assert torch.equal(one, two)
    assert not one[:, features:].any()


def test_a_query_sees_the_whole_support_or_what_came_before_it() -> None:
    usual, one_by_one = waves(), online(waves())
    assert visible_examples(usual).all()
    assert context_positions(usual).tolist() == [5] * 6
    expected = [[i < q for i in range(5)] for q in range(5)]
    assert visible_examples(one_by_one).tolist() == expected
    assert context_positions(one_by_one).tolist() == [0, 1, 2, 3, 4]


def test_online_episodes_are_embedded_once_and_as_their_support() -> None:
    tasks = online(waves())
    layout = tasks.body
    draw = torch.Generator().manual_seed(0)
    flat = torch.randn(3, layout.total, generator=draw, dtype=torch.float64)
    theta = layout.views(flat)
    support, query = embed_sequence(theta, tasks)
    assert query is support
    torch.testing.assert_close(support, tasks.answer(theta, tasks.query))
