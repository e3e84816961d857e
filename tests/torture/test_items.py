import itertools
import time

import pytest

from tests.torture.items import until


def test_a_wait_is_as_long_as_the_progress_that_it_waits_for() -> None:
    end, steps = time.monotonic() + 0.3, itertools.count()
    assert until(lambda: time.monotonic() > end, 0.05, lambda: next(steps)) >= 0.25


def test_a_wait_without_progress_ends() -> None:
    with pytest.raises(TimeoutError, match=r"not after 0\.05 s"):
        until(lambda: False, 0.05, lambda: "the same")
