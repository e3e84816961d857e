"""Laws of every family of episodes, with a learner that is quick."""

from functools import cache
from typing import Any

import numpy as np
import pytest
import torch

from engine.contract.events import Block
from engine.contract.registry import part
from engine.contract.rng import Rng
from engine.contract.run_spec import RunSpec
from engine.protocol import Episode, EpisodeBatch, Family
from engine.runner.context import RunContext
from tests.laws.small import assert_same, events, families, rows, spec_of

FAMILIES = families("few_shot")
POOLS = ("train", "validation", "test")


def spec(family: str, **fields: Any) -> RunSpec:
    """Return a tiny spec on a family: a small net that takes anything, small images."""
    found = part("family", family)
    assert issubclass(found, Family)
    learner = "protonet" if found().answer_kind() == "classes" else "maml"
    fewer = {"side": "14", "presentations": 12}
    small = {knob: v for knob, v in fewer.items() if knob in found.model_fields}
    body = {
        "learners": [{"name": learner}],
        "family": {"name": family, "knobs": small},
        "net": {"name": "mlp", "knobs": {"depth": 1, "width": 8}},
    }
    return spec_of(**body | fields, budget={"horizon": 3, "validation_tasks": 3})


@cache
def bench(family: str) -> RunContext:
    return RunContext(spec(family))


def is_online(family: str) -> bool:
    """Say whether targets are revealed one by one."""
    return some(family, "test", 1)[0].online


def has_classes(family: str) -> bool:
    """Say whether a family asks for classes."""
    return bench(family).setting.family.answer_kind() == "classes"


def drawn(family: str, replicates: int, tasks: int) -> EpisodeBatch:
    """Draw test tasks of a family."""
    board = RunContext(spec(family, replicates=replicates))
    batch = board.draw(board.setting, "test", ("test", 0), tasks)
    assert isinstance(batch, EpisodeBatch)
    return batch


def some(family: str, pool: str, count: int = 12) -> list[Episode]:
    """Draw some episodes of a pool."""
    of = bench(family).setting.family
    return [of.sample(Rng(5).child(pool, place), pool) for place in range(count)]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_spec_gives_the_same_rows(family: str) -> None:
    assert_same(rows(spec(family)), rows(spec(family)))


@pytest.mark.parametrize("family", FAMILIES)
def test_draws_do_not_depend_on_how_many_are_drawn(family: str) -> None:
    few, many = drawn(family, 2, 2), drawn(family, 3, 4)
    same = many.take([0, 1, 4, 5])
    for one, two in ((few.support, same.support), (few.query, same.query)):
        assert torch.equal(one.x, two.x) and torch.equal(one.y, two.y)


@pytest.mark.parametrize("family", FAMILIES)
def test_episodes_differ_and_so_do_pools(family: str) -> None:
    seen = {e.x.tobytes() for pool in POOLS for e in some(family, pool, 4)}
    assert len(seen) == 12


@pytest.mark.parametrize("family", [f for f in FAMILIES if not is_online(f)])
def test_an_episode_has_the_sizes_that_its_knobs_say(family: str) -> None:
    of = bench(family).setting.family
    for episode in some(family, "test", 4):
        ways = episode.outputs
        assert episode.x.dtype == episode.held_x.dtype == np.float32
        assert episode.x.shape == (np.prod(episode.shape), ways * of.shots)
        assert episode.held_x.shape == (np.prod(episode.shape), ways * of.queries)
        assert np.isfinite(episode.x).all() and np.isfinite(episode.held_x).all()
        assert episode.y.shape == episode.x.shape[1:]
        if of.answer_kind() == "classes":
            assert np.bincount(episode.y).tolist() == [of.shots] * of.ways
            assert np.bincount(episode.held_y).tolist() == [of.queries] * of.ways


@pytest.mark.parametrize("family", [f for f in FAMILIES if is_online(f)])
def test_an_online_episode_has_the_sizes_that_its_knobs_say(family: str) -> None:
    of = bench(family).setting.family
    for episode in some(family, "test", 4):
        assert episode.x.dtype == np.float32 and np.isfinite(episode.x).all()
        assert episode.x.shape == (np.prod(episode.shape), of.presentations)
        assert episode.y.shape == episode.x.shape[1:]
        if of.answer_kind() == "classes":
            assert set(episode.y) <= set(range(of.ways)) and episode.outputs == of.ways


@pytest.mark.parametrize("family", [f for f in FAMILIES if is_online(f)])
@pytest.mark.parametrize("pool", POOLS)
def test_online_queries_are_the_support_and_no_example_comes_twice(
    family: str, pool: str
) -> None:
    for episode in some(family, pool):
        np.testing.assert_array_equal(episode.x, episode.held_x)
        np.testing.assert_array_equal(episode.y, episode.held_y)
        assert len({column.tobytes() for column in episode.x.T}) == len(episode.y)


@pytest.mark.parametrize("family", [f for f in FAMILIES if is_online(f)])
def test_a_longer_online_episode_begins_with_the_shorter_one(family: str) -> None:
    short = bench(family).setting.family
    long = short.model_copy(update={"presentations": short.presentations + 25})
    for place in range(3):
        one, two = (of.sample(Rng(5).child(place), "test") for of in (short, long))
        np.testing.assert_array_equal(one.x, two.x[:, : one.x.shape[1]])
        np.testing.assert_array_equal(one.y, two.y[: len(one.y)])


@pytest.mark.parametrize("family", [f for f in FAMILIES if not is_online(f)])
@pytest.mark.parametrize("pool", POOLS)
def test_support_and_queries_share_no_example(family: str, pool: str) -> None:
    for episode in some(family, pool):
        columns = np.concatenate([episode.x, episode.held_x], axis=1).T
        each = {column.tobytes() for column in columns}
        assert len(each) == len(columns)


@pytest.mark.parametrize("family", [f for f in FAMILIES if has_classes(f)])
def test_classes_keep_their_number_and_change_their_label(family: str) -> None:
    labels: dict[int, set[int]] = {}
    for episode in some(family, "train", 60):
        assert episode.ids is not None and episode.held_ids is not None
        assert episode.ids.min() >= 0 and episode.ids.max() < episode.known_classes
        of = dict(zip(episode.y.tolist(), episode.ids.tolist(), strict=True))
        # A class may not have been presented yet when an online episode ends.
        assert len(of) == episode.outputs or episode.online
        assert len(set(of.values())) == len(of)
        assert [of[label] for label in episode.held_y] == episode.held_ids.tolist()
        for label, number in of.items():
            labels.setdefault(number, set()).add(label)
    assert max(map(len, labels.values())) > 1
    firsts = [episode.ids[0] for episode in some(family, "train", 60)]
    ordered = [list(e.ids) == sorted(e.ids) for e in some(family, "train", 30)]
    assert len(set(firsts)) > 1 and not all(ordered)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_test_row_is_a_number_or_a_counted_divergence(family: str) -> None:
    found = {
        event.metric: event.array
        for event in events(spec(family))
        if isinstance(event, Block) and event.phase == "test"
    }
    assert np.isfinite(found["error"]).all()
    final = found.get("final_accuracy", found.get("final_mse"))
    assert (np.isnan(final) == (found["diverged"] > 0)).all()
