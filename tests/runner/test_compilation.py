"""A run that asks for the compiler goes on whatever becomes of it, and says so."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from engine.contract.events import Artefact, Block, Checkpoint, Event, Note
from engine.contract.run_spec import RunSpec
from engine.runner import compilation
from engine.runner.compilation import run_in_thread
from engine.runner.loop import run
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import assert_same, learner_spec

Build = Callable[..., Any]


@pytest.fixture(autouse=True)
def tool(monkeypatch: pytest.MonkeyPatch) -> Callable[[Build], None]:
    """Let the compiler be another one; at first it runs what it is given."""

    def put(build: Build) -> None:
        monkeypatch.setattr(compilation, "inductor", build)

    monkeypatch.setattr(compilation, "compiler", lambda: "c++")
    put(lambda graph, inputs: graph)
    return put


def asked(name: str = "maml", **fields: Any) -> RunSpec:
    return learner_spec(name, compile=True, **fields)


def played(spec: RunSpec, resume: Checkpoint | None = None) -> list[Event]:
    return list(run(spec, InMemoryRunCache(), resume))


def numbers(events: list[Event]) -> dict[tuple[object, ...], np.ndarray]:
    blocks = [e for e in events if isinstance(e, Block) and e.metric != "compile_gap"]
    return {block.address(): block.array for block in blocks}


def gap_of(events: list[Event]) -> np.ndarray:
    (found,) = (e for e in events if isinstance(e, Block) and e.metric == "compile_gap")
    assert (found.phase, found.axes) == ("train", ("replicate",))
    return found.array  # type: ignore[no-any-return]


def remark(events: list[Event]) -> str:
    (found,) = (e for e in events if isinstance(e, Artefact) and e.kind == "remarks")
    ((who, why),) = found.info.items()
    assert who.startswith("compile:")
    assert any(isinstance(e, Note) and why in e.text for e in events)
    return str(why)


def test_a_compiled_run_announces_itself_and_is_held_against_eager() -> None:
    events = played(asked())
    assert gap_of(events).max() < 1e-5
    assert not [e for e in events if isinstance(e, Artefact) and e.kind == "remarks"]
    said = [
        i for i, e in enumerate(events) if isinstance(e, Note) and "compil" in e.text
    ]
    taught = [
        i
        for i, e in enumerate(events)
        if isinstance(e, Block) and e.phase == "train" and "step" in e.axes
    ]
    assert said and said[0] < taught[0]


def test_without_a_compiler_it_runs_eagerly_and_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compilation, "compiler", lambda: "")
    events = played(asked())
    assert "no C++ compiler" in remark(events)
    assert_same(numbers(events), numbers(played(learner_spec("maml"))))


def test_a_compiler_that_fails_ends_no_run(tool: Callable[[Build], None]) -> None:
    def broken(graph: object, inputs: object) -> object:
        raise RuntimeError("header not found\nand much more")

    tool(broken)
    events = played(asked())
    assert "RuntimeError: header not found)" in remark(events)
    assert_same(numbers(events), numbers(played(learner_spec("maml"))))


def test_a_gradient_beyond_the_tolerance_is_not_used(
    tool: Callable[[Build], None],
) -> None:
    def wrong(graph: torch.fx.GraphModule, inputs: object) -> Build:
        return lambda *tensors: [tensor * 1.01 for tensor in graph(*tensors)]

    tool(wrong)
    events = played(asked())
    assert gap_of(events).max() == pytest.approx(0.01, rel=1e-3)
    assert "differed from the eager one by 0.01 of its norm" in remark(events)
    assert_same(numbers(events), numbers(played(learner_spec("maml"))))


def test_an_update_that_is_not_the_rules_is_not_used(
    tool: Callable[[Build], None],
) -> None:
    def wrong(graph: torch.fx.GraphModule, inputs: object) -> Build:
        def run(*tensors: torch.Tensor) -> list[torch.Tensor]:
            # The first outputs are the weights; the gradients stay right.
            return [out + (i < 2) * 1e-3 for i, out in enumerate(graph(*tensors))]

        return run

    tool(wrong)
    events = played(asked())
    assert gap_of(events).max() < 1e-5
    assert "first compiled update differed" in remark(events)
    assert_same(numbers(events), numbers(played(learner_spec("maml"))))


def test_a_learner_that_changes_while_it_trains_is_not_compiled() -> None:
    assert "meta-step cannot be compiled" in remark(played(asked("maml_plus")))


def test_a_net_with_running_statistics_is_not_compiled() -> None:
    knobs = {"depth": 1, "width": 4, "normalization": "meta_batch"}
    events = played(asked(net={"name": "mlp", "knobs": knobs}))
    assert "running statistics" in remark(events)


def test_an_optimizer_is_compiled_if_its_horizon_is_one_unroll() -> None:
    def unroll(length: int) -> dict[str, Any]:
        return {"name": "unroll", "knobs": {"length": length}}

    assert gap_of(played(asked("lr_scale", estimator=unroll(50)))).max() < 1e-5
    events = played(asked("lr_scale", estimator=unroll(4)))
    assert "unroll is shorter than the horizon" in remark(events)
    assert "pes draws random numbers" in remark(played(asked("lr_scale")))


def test_agents_are_not_compiled() -> None:
    assert "cannot be compiled" in remark(played(asked("maml_rl")))


def test_a_resumed_run_computes_the_same(
    tool: Callable[[Build], None],
) -> None:
    whole = played(asked())
    points = [e for e in whole if isinstance(e, Checkpoint)]
    middle = next(
        p for p in points if p.state["learners"].get("maml", {}).get("step") == 4
    )
    rest = played(asked(), middle)
    assert not [e for e in rest if isinstance(e, Block) and e.metric == "compile_gap"]
    ends = {a: array for a, array in numbers(rest).items() if a[1] == "test"}
    assert ends
    for address, array in ends.items():
        np.testing.assert_array_equal(array, numbers(whole)[address])


def test_a_long_computation_yields_heartbeats_and_then_its_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compilation, "NOTE_INTERVAL", 0.01)
    open_gate = threading.Event()
    kept: list[bool] = []

    def both() -> Iterator[Note]:
        note = Note("train", 0.5, "compiling")
        kept.append((yield from run_in_thread(lambda: open_gate.wait(30), note)))

    work = both()
    assert [next(work).text for _ in range(3)] == ["compiling"] * 3
    open_gate.set()
    assert {note.text for note in work} <= {"compiling"}
    assert kept == [True]


def test_an_error_of_a_long_computation_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(run_in_thread(lambda: 1 / 0, Note("train", 0.5, "compiling")))
