"""The compiled gradient is the eager one, and a compiler is looked for."""

from functools import partial
from pathlib import Path

import pytest
import torch

from engine.algorithms.compiled_graphs import compiler, inductor
from engine.algorithms.few_shot.compiled_outer_gradients import (
    CompiledGradients,
    relative_gaps,
)
from engine.kernels.dense_loss import torch_only
from engine.protocol import run_eagerly
from engine.runner.context import RunContext
from tests.laws.small import learner_spec
from tests.laws.test_compilation import taught


@pytest.mark.torture
@pytest.mark.timeout(600)
@pytest.mark.filterwarnings("ignore")  # torch's own, while it compiles
@pytest.mark.skipif(not compiler(), reason="no C++ compiler")
@pytest.mark.parametrize("name", ["maml", "fomaml", "protonet"])
def test_compiled_code_gives_the_eager_gradient(name: str) -> None:
    context = RunContext(learner_spec(name))
    made = CompiledGradients(inductor)
    for step, done in ((0, 0.0), (7, 0.9)):
        quick = taught(context, step, done, made)
        with torch_only():  # what is traced; kernels round otherwise
            slow = taught(context, step, done, run_eagerly)
        assert relative_gaps(quick.grads or {}, slow.grads or {}).max() < 1e-4
    assert made.count == 1


def test_compiled_code_is_given_rows_that_lie_as_they_did() -> None:
    strides = []

    def build(graph: torch.fx.GraphModule, inputs: list[torch.Tensor]) -> object:
        def run(*tensors: torch.Tensor) -> object:
            strides.append([tensor.stride() for tensor in tensors])
            return graph(*tensors)

        return run

    context = RunContext(learner_spec("protonet"))
    made = CompiledGradients(build)  # type: ignore[arg-type]
    slow = taught(context, 0, 0.0, made)
    tasks = context.draw(context.setting, "train", ("train", "tasks", 0), 3)
    wide = {n: torch.cat([w, w], -1) for n, w in (slow.grads or {}).items()}
    rows = {n: w[..., : w.shape[-1] // 2] for n, w in wide.items()}
    assert not all(row.is_contiguous() for row in rows.values())
    made(partial(_nothing))(rows, tasks)
    assert strides[0] == strides[1]


def _nothing(rows: object, tasks: object) -> object:
    raise AssertionError("what is compiled already is not followed again")


def test_a_compiler_that_is_named_comes_first_and_none_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", "mine")
    assert compiler() == ""
    for name in ("g++", "mine"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    assert Path(compiler()).name == "mine"
    monkeypatch.delenv("CXX")
    assert Path(compiler()).name == "g++"


def test_a_number_that_is_none_on_one_side_only_is_infinitely_far() -> None:
    one = {"w": torch.tensor([[1.0, torch.nan], [1.0, 2.0], [0.0, 0.0]])}
    two = {"w": torch.tensor([[1.0, 3.0], [1.0, 2.0], [0.0, 0.0]])}
    assert relative_gaps(one, two).tolist() == [torch.inf, 0.0, 0.0]
    assert relative_gaps(two, two).tolist() == [0.0, 0.0, 0.0]
