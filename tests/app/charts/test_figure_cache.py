"""What is the same for everyone is made once, however many ask at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from app.charts import figure_cache
from app.charts.figure_cache import get_or_make
from app.client.client import RunState


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


def test_a_live_run_keeps_the_figures_of_its_newest_state_alone() -> None:
    def names(*states: RunState) -> list[object]:
        figure_cache._figures.clear()
        for state in states:
            for chart in ("loss", "error"):
                get_or_make((chart, state), object)
        return [name for _, name in figure_cache._figures if name.key == "a"]  # type: ignore[misc, attr-defined]

    first, second, third = (RunState("a", i, True) for i in (1, 2, 3))
    ended, taken_over = RunState("a", 4, False), RunState("a", 5, False)
    other = RunState("b", 9, True)
    assert names(first, other, second, third) == [third, third]
    assert names(third, ended, taken_over) == [ended] * 2 + [taken_over] * 2
    assert "a" not in figure_cache._live
