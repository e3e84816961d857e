"""Numbers of many streams at once are those of numpy's generator of each stream."""

import numpy as np
import pytest

from engine.contract.rng import Rng
from engine.protocol import draw_uniform, generator

STREAMS = [Rng(root).child("train", number) for root in (0, 7) for number in range(9)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1,), (5,), (3, 0), (11, 1, 2), (40, 7)])
def test_each_stream_draws_its_own_numbers(
    dtype: type[np.floating], shape: tuple[int, ...]
) -> None:
    found = draw_uniform(STREAMS, ("world", 3), shape, dtype)
    streams = [generator(stream.child("world", 3)) for stream in STREAMS]
    wanted = np.stack([stream.random(shape, dtype) for stream in streams])
    assert found.dtype == wanted.dtype
    assert np.array_equal(found, wanted)


def test_more_numbers_leave_the_earlier_ones_unchanged() -> None:
    # From few numbers, drawn side by side, to many, drawn stream by stream.
    few, many = (
        draw_uniform(STREAMS[:4], (), (count,), np.float32) for count in (9, 900)
    )
    assert np.array_equal(few, many[:, :9])


def test_a_key_below_a_stream_is_that_of_its_child() -> None:
    assert Rng(3, ("test",)).key("goal", 2) == Rng(3).child("test", "goal", 2).key()
