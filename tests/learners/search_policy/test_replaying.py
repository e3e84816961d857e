"""Replay: bounded memory, fair samples, and why weights are clipped."""

import numpy as np
import pytest

from engine.algorithms.search.policy import softmax_policy
from engine.algorithms.search.policy.replay import (
    ReplayEntry,
    empty_memory,
    importance_weights,
    sample_memory,
    store_entry,
)
from engine.learners.search.reinforce import Reinforce
from tests.learners.search_policy.made import EVERY, REWARD, TOY, landscapes, traces


def streamed(members: int, count: int, slots: int, top: int) -> tuple[np.ndarray, ...]:
    """Put a stream of values into memories; codes number the evaluations."""
    uniform = np.random.default_rng(4).random((2, count, members))
    memory = empty_memory(members, slots, 1)
    always = np.ones(members, bool)
    for i in range(count):
        codes = np.full((members, 1), i)
        found = ReplayEntry(codes, uniform[0, i], np.zeros(members))
        memory = store_entry(memory, found, top, uniform[1, i], always)
    return memory.codes[..., 0], memory.value, uniform[0].T


@pytest.mark.parametrize(("slots", "top"), [(10, 4), (10, 0), (10, 10), (3, 3)])
def test_the_best_are_kept_and_never_more_than_the_slots(slots: int, top: int) -> None:
    codes, value, stream = streamed(20, 50, slots, top)
    assert value.shape == (20, slots)
    best = np.sort(stream, 1)[:, ::-1][:, :top]
    np.testing.assert_array_equal(np.sort(value[:, :top], 1)[:, ::-1], best)
    for mine, kept, seen in zip(codes, value, stream, strict=True):
        assert len(set(mine)) == slots
        np.testing.assert_array_equal(seen[mine], kept)


def test_the_reservoir_is_a_uniform_sample_of_the_rest() -> None:
    codes, _, stream = streamed(4000, 30, 8, 3)
    rank = np.argsort(np.argsort(-stream, 1), 1)
    members = np.arange(len(codes))[:, None]
    kept = rank[members, codes[:, 3:]]
    share = np.bincount(kept.ravel(), minlength=30) / len(codes)
    assert (share[:3] == 0).all()
    np.testing.assert_allclose(share[3:], 5 / 27, atol=4 * np.sqrt(0.15 / 4000))
    # and of those it holds, early and late ones alike
    late = (codes[:, 3:] >= 15).mean()
    assert abs(late - 0.5) < 0.02


def test_recalled_are_remembered_and_none_come_from_an_empty_memory() -> None:
    empty = empty_memory(2, 5, 3)
    _, there = sample_memory(empty, np.array([[0.1, 0.9], [0.5, 0.0]]))
    assert not there.any()
    found = ReplayEntry(EVERY[:2], REWARD[:2], np.array([-1.0, -2.0]))
    one = store_entry(empty, found, 2, np.zeros(2), np.array([True, False]))
    past, there = sample_memory(one, np.array([[0.1, 0.999], [0.5, 0.0]]))
    np.testing.assert_array_equal(there, [[True, True], [False, False]])
    np.testing.assert_array_equal(past.codes[0], EVERY[[0, 0]])
    np.testing.assert_array_equal(past.value, [[REWARD[0]] * 2, [0.0, 0.0]])


def test_equal_policies_weigh_one_and_clips_only_cut() -> None:
    chance = np.log(np.random.default_rng(1).random(50))
    np.testing.assert_array_equal(importance_weights(chance, chance, 1.2), np.ones(50))
    other = chance[::-1]
    free, cut = (
        importance_weights(other, chance, 0.0),
        importance_weights(other, chance, 1.2),
    )
    np.testing.assert_allclose(free, np.exp(other - chance))
    np.testing.assert_array_equal(cut, np.minimum(free, 1.2))


def test_without_a_clip_a_replayed_gradient_has_no_bias_and_more_variance() -> None:
    old = np.array([[1.5, -1.0, -np.inf], [0.9, 0.0, -1.2], [1.0, -0.6, -np.inf]])
    new = -np.where(np.isfinite(old), old, 0.0) + np.where(np.isfinite(old), 0, -np.inf)
    rows = {
        name: np.repeat(softmax_policy.probabilities(logits)[None], TOY.size, 0)
        for name, logits in (("old", old), ("new", new))
    }
    then, now = (softmax_policy.log_prob(rows[k], EVERY) for k in ("old", "new"))
    step = (REWARD - REWARD.mean())[:, None, None] * softmax_policy.log_prob_gradient(
        rows["new"], EVERY
    )

    def moments(clip: float) -> tuple[np.ndarray, float]:
        each = importance_weights(now, then, clip)[:, None, None] * step
        mean = np.einsum("a,apo->po", np.exp(then), each)
        spread = np.einsum("a,apo->", np.exp(then), (each - mean) ** 2)
        return mean, float(spread)

    truth = np.einsum("a,apo->po", np.exp(now), step)
    free, cut = moments(0.0), moments(1.5)
    np.testing.assert_allclose(free[0], truth, atol=1e-12)
    assert free[1] > 5 * cut[1]


def test_replays_leave_the_first_steps_and_change_the_later_ones() -> None:
    tasks = landscapes(4, 30)
    one, two = (traces(Reinforce(replay=n), tasks)["kl"] for n in (0, 4))
    np.testing.assert_array_equal(one[:, :2], two[:, :2])
    assert not np.array_equal(one, two)
