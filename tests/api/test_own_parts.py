"""Parts of a notebook: they run as the lab's do, and their source is in the key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import metascope as ms
from engine.catalogue import find_card
from engine.contract import registry
from engine.store import Store
from metascope.parts import Direction, DirectionOptimizer

SCALE = 1.0


def shrink(step: Any) -> Any:
    return SCALE * step


@pytest.fixture(autouse=True)
def forget_own_parts() -> Iterator[None]:
    yield
    for part in registry.parts():
        if part.own_source:
            registry.forget(part.slot, part.name)
    find_card.cache_clear()


def define_plain_descent() -> type:
    @ms.register
    class PlainDescent(DirectionOptimizer):
        """Plain descent: gradient descent once more.

        w ← w − η g.
        """

        solves = frozenset({"optimization"})

        def start(self, weights: Any) -> Any:
            return {}

        def direction(self, inputs: Any, state: Any) -> Direction:
            return Direction(shrink(inputs.grad), state)

    return PlainDescent


def define_double_descent() -> type:
    @ms.register(name="plain_descent")
    class PlainDescent(DirectionOptimizer):
        """Plain descent: twice the gradient.

        w ← w − 2 η g.
        """

        solves = frozenset({"optimization"})

        def start(self, weights: Any) -> Any:
            return {}

        def direction(self, inputs: Any, state: Any) -> Direction:
            return Direction(2 * inputs.grad, state)

    return PlainDescent


def test_an_own_optimizer_that_is_sgd_has_sgds_numbers(tmp_path: Path) -> None:
    define_plain_descent()
    result = ms.run("smoke", learner="plain_descent", replicates=1, store=tmp_path)
    lost = result.tasks.query("metric == 'final_loss'").set_index("learner")["value"]
    np.testing.assert_allclose(lost["plain_descent"], lost["sgd"], rtol=1e-4)
    # The lab's engine could not compute it, so it is not in the lab's store.
    assert Store.open(tmp_path).job(result.key) is None
    assert ms.run("smoke", learner="plain_descent", replicates=1, store=tmp_path)


def test_two_classes_of_one_name_have_two_keys() -> None:
    define_plain_descent()
    one = ms.spec("smoke", learner="plain_descent").key
    define_double_descent()
    assert ms.spec("smoke", learner="plain_descent").key != one
    define_plain_descent()
    assert ms.spec("smoke", learner="plain_descent").key == one


def test_a_class_that_is_registered_twice_is_the_same_part() -> None:
    part = define_plain_descent()
    first = ms.spec("smoke", learner="plain_descent").key
    assert ms.register(part) is part
    assert find_card("learner", "plain_descent").title == "Plain descent"
    assert ms.spec("smoke", learner="plain_descent").key == first


def test_a_helper_that_changes_is_another_key(monkeypatch: pytest.MonkeyPatch) -> None:
    define_plain_descent()
    one = ms.spec("smoke", learner="plain_descent").key
    monkeypatch.setitem(globals(), "SCALE", 2.0)
    define_plain_descent()
    assert ms.spec("smoke", learner="plain_descent").key != one


def test_a_variable_that_no_key_can_tell_apart_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(globals(), "SCALE", object())
    with pytest.raises(ms.Refused, match="uses the variable 'SCALE'"):
        define_plain_descent()


def test_what_is_incomplete_is_refused_in_one_sentence_and_not_registered() -> None:
    with pytest.raises(ms.Refused, match="lacks direction"):

        @ms.register
        class HalfDescent(DirectionOptimizer):
            """Half descent: it has no direction."""

            solves = frozenset({"optimization"})

            def start(self, weights: Any) -> Any:
                return {}

    with pytest.raises(ms.Refused, match="has a learner called 'adam'"):

        @ms.register
        class Adam(DirectionOptimizer):
            """Adam: the lab has it."""

            def start(self, weights: Any) -> Any:
                return {}

    assert "half_descent" not in ms.catalogue().learners
