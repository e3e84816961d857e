"""Families and shifts of a notebook: from the class to the saved run, and back."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import metascope as ms
from engine.catalogue import find_card
from engine.contract import registry
from metascope.parts import (
    DataFamily,
    Direction,
    DirectionOptimizer,
    Episode,
    EpisodeFamily,
    Sample,
    Shift,
    generator,
    knob,
)

SMALL = {"task_evaluations": 16, "test_tasks": 2, "horizon": 5, "tuning_tasks": 4}


def forget_all() -> None:
    for part in registry.parts():
        if part.own_source:
            registry.forget(part.slot, part.name)
    find_card.cache_clear()


@pytest.fixture(autouse=True)
def forget_own_parts() -> Iterator[None]:
    yield
    forget_all()


def blobs(x: np.ndarray, y: np.ndarray) -> Sample:
    return Sample(x[:, :32], y[:32], x[:, 32:], y[32:], outputs=2)


def define_blobs(make: Callable[..., object] = blobs) -> None:
    @ms.register
    class TwoBlobs(DataFamily):
        """Two blobs: a cloud per class, some way apart.

        x = g y + n.
        """

        solves = frozenset({"optimization"})
        gap: float = knob(2.0, label="Gap", low=0.0, high=9.0, help="Between clouds.")

        def sample(self, rng: Any, pool: str) -> Any:
            y = np.arange(64) % 2
            x = generator(rng.child("data")).standard_normal((2, 64)) + self.gap * y
            return make(x.astype(np.float32), y)


def define_tilt(change: Callable[..., Any] | None = None) -> None:
    @ms.register
    class Tilt(Shift):
        """Tilt: the second input leaks into the first.

        x₁ ← x₁ + s x₂.
        """

        solves = frozenset({"optimization"})
        unit = "share"
        severities = (0.5, 1.0)

        def why_not(self, setting: Any) -> None:
            return None

        def apply(self, setting: Any, severity: float) -> Any:
            def warp(sample: Sample, rng: Any) -> Sample:
                matrix = np.array([[1, severity], [0, 1]], np.float32)
                x, held_x = matrix @ sample.x, matrix @ sample.held_x
                return replace(sample, x=x, held_x=held_x)

            return change(setting) if change else setting.with_warp(warp)


def run_blobs(**changes: Any) -> ms.Result:
    changes = {"shifts": ["tilt"], "replicates": 1, "store": None} | changes
    return ms.run("smoke", family="two_blobs", budget=SMALL, progress=False, **changes)


def test_an_own_family_under_an_own_shift_is_a_run_like_any_other(
    tmp_path: Path,
) -> None:
    define_blobs()
    define_tilt()
    result = run_blobs(store=tmp_path / "store")
    assert set(result.tasks["shift"]) == {"none", "tilt"}
    assert set(result.tasks["severity"].dropna()) >= {0.5, 1.0}
    shifted = result.tasks.query("metric == 'final_loss' and shift == 'tilt'")
    clean = result.tasks.query("metric == 'final_loss' and shift == 'none'")
    assert not set(shifted["value"]) & set(clean["value"])
    assert "two blobs" in repr(result) and result.plot("loss").data
    saved = result.save(tmp_path / "saved")

    forget_all()  # as in another process, where the notebook's cells did not run
    for again in (ms.load(saved), ms.load(result.key, store=tmp_path / "store")):
        assert again.tasks.equals(result.tasks) and again.plot("loss").data
        assert again.call == result.call
    with pytest.raises(ms.Refused, match=r"no shift is called 'tilt'.*@metascope\.reg"):
        ms.run(again, store=None)
    with pytest.raises(ms.Refused, match=r"'two_blobs'.*@metascope\.register"):
        again.learners["lr_scale"].optimizer([torch.ones(3)])
    define_tilt()
    define_blobs()
    assert ms.spec(again).key == result.key


def test_an_own_few_shot_family_is_learned() -> None:
    @ms.register
    class Slopes(EpisodeFamily):
        """Slopes: each task is a line through the origin.

        y = a x.
        """

        solves = frozenset({"few_shot"})
        output = "value"
        shots: int = knob(5, label="Shots", low=1, high=50, help="Examples.")
        queries: int = knob(8, label="Queries", low=1, high=50, help="Questions.")

        def sample(self, rng: Any, pool: str) -> Episode:
            draw, k = generator(rng.child("data")), self.shots
            x = draw.uniform(-1, 1, (1, k + self.queries)).astype(np.float32)
            y = (draw.standard_normal() * x[0]).astype(np.float32)
            return Episode(x[:, :k], y[:k], x[:, k:], y[k:], outputs=1, shape=(1,))

    budget = {"task_evaluations": 8, "test_tasks": 2}
    result = ms.run(
        "few_shot_smoke",
        family="slopes",
        shifts=[],
        baselines=["from_scratch"],
        budget=budget,
        replicates=1,
        store=None,
        progress=False,
    )
    assert result.tasks["value"].notna().any()


WRONG_DATA: dict[str, Callable[..., object]] = {
    r"must return a Sample .* not None": lambda x, y: None,
    r"not \(64, 2\) and \(64,\); transpose it": lambda x, y: Sample(x.T, y, x, y, 2),
    r"from 0 to outputs - 1 = 1, not from 1 to 2": lambda x, y: Sample(
        x, y + 1, x, y, 2
    ),
    r"x has 2 features, but held_x 1": lambda x, y: Sample(x, y, x[:1], y, 2),
    r"must be int64 classes or float32 values, not <U": lambda x, y: Sample(
        x, y.astype(str), x, y, 2
    ),
    r"shape=\(\) is not that of an example of 2 features": lambda x, y: Episode(
        x, y, x, y, 2
    ),
    r"tasks of several sizes, x of shape": lambda x, y: Sample(
        *(x[:, : 9 + int(x[0, 0] * 1000) % 50], y[: 9 + int(x[0, 0] * 1000) % 50]),
        *(x, y, 2),
    ),
}


@pytest.mark.parametrize("told", WRONG_DATA)
def test_data_of_a_wrong_shape_name_the_family_and_the_shapes(told: str) -> None:
    define_blobs(WRONG_DATA[told])
    with pytest.raises(ms.Refused, match=f"family two_blobs .*{told}"):
        run_blobs(shifts=[])


def test_a_shift_that_returns_no_setting_is_refused() -> None:
    define_blobs()
    define_tilt(lambda setting: None)
    with pytest.raises(ms.Refused, match=r"shift tilt must return .* not NoneType"):
        run_blobs()


WRONG_STEPS: dict[str, Callable[..., object]] = {
    r"a step of the weights' shape .*, not a tensor of shape \(1, ": lambda i, s: (
        Direction(i.grad[:1], s)
    ),
    r"weights' shape .*, not a float": lambda i, s: Direction(1.0, s),  # type: ignore[arg-type]
    r"must return Direction\(step, state\).* not None": lambda i, s: None,
    r"not a state that is None": lambda i, s: Direction(i.grad, None),  # type: ignore[arg-type]
    r"changes inputs\.weights in place": lambda i, s: Direction(i.weights.mul_(0.5), s),
}


def define_steps(found: Callable[..., Any]) -> None:
    @ms.register
    class Mine(DirectionOptimizer):
        """Mine: what a newcomer writes.

        w ← w − η g.
        """

        solves = frozenset({"optimization"})

        def start(self, weights: Any) -> Any:
            return {}

        def direction(self, inputs: Any, state: Any) -> Any:
            return found(inputs, state)


@pytest.mark.parametrize("told", WRONG_STEPS)
def test_a_step_of_a_wrong_shape_names_the_learner_and_the_shapes(told: str) -> None:
    define_steps(WRONG_STEPS[told])
    with pytest.raises(ms.Refused, match=f"learner mine .*{told}"):
        ms.run(
            "smoke",
            learner="mine",
            shifts=[],
            budget=SMALL,
            store=None,
            progress=False,
            replicates=2,
        )


def test_a_class_is_refused_by_the_name_that_it_was_given() -> None:
    with pytest.raises(ms.Refused, match=r"^Mute needs a docstring whose first line"):

        @ms.register
        class Mute(DirectionOptimizer):
            solves = frozenset({"optimization"})

    with pytest.raises(ms.Refused, match=r"^Useless: solves is empty; write the kinds"):

        @ms.register
        class Useless(DirectionOptimizer):
            """Useless: it solves nothing."""

            def start(self, weights: Any) -> Any:
                return {}

            def direction(self, inputs: Any, state: Any) -> Any:
                return Direction(inputs.grad, state)

    with pytest.raises(ms.Refused, match=r"Stray: its tasks are of kind 'optimizat"):

        @ms.register
        class Stray(DataFamily):
            """Stray: it says another kind."""

            solves = frozenset({"few_shot"})

            def sample(self, rng: Any, pool: str) -> Any:
                return None


def test_a_part_keeps_nothing_in_self() -> None:
    part = registry.part("learner", "sgd")()
    with pytest.raises(ms.Refused, match="cannot keep 'count' in self"):
        part.count = 1
