"""What is the same for everyone is made once, however many ask at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.charts import figure_cache
from app.charts.figure_cache import get_or_make


@pytest.fixture(autouse=True)
def _empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figure_cache, "_figures", type(figure_cache._figures)())


def test_who_asks_while_a_figure_is_made_waits_for_it() -> None:
    began, calls = threading.Barrier(4), list[int]()

    def ask() -> object:
        began.wait(10)
        return get_or_make("figure", lambda: calls.append(1) or object())

    with ThreadPoolExecutor(4) as pool:
        found = {id(each.result()) for each in [pool.submit(ask) for _ in range(4)]}
    assert (len(found), len(calls)) == (1, 1)


def test_a_failure_is_not_kept() -> None:
    with pytest.raises(ZeroDivisionError):
        get_or_make("figure", lambda: 1 / 0)
    assert get_or_make("figure", lambda: 2) == 2
    assert not figure_cache._in_work
