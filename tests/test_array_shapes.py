"""Shapes in annotations are held, in every call of a test."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import TypeCheckError, install_import_hook

PROGRAM = """
import numpy as np
from jaxtyping import Float, Int

def gather(values: Float[np.ndarray, "row item"], at: Int[np.ndarray, " row"]) -> \\
        Float[np.ndarray, " row"]:
    return values[np.arange(len(at)), at] if len(at) else values

def knob(note: int) -> int:
    return "no int"
"""


@pytest.mark.parametrize(
    ("values", "at"),
    [
        (np.ones((2, 3)), np.zeros(3, int)),  # another number of rows
        (np.ones(2), np.zeros(2, int)),  # another number of axes
        (np.ones((2, 3)), np.zeros(2)),  # indices that are no integers
        (np.ones((0, 3)), np.zeros(0, int)),  # what is returned has two axes
    ],
)
def test_an_array_of_another_shape_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: np.ndarray, at: np.ndarray
) -> None:
    (tmp_path / "shaped_program.py").write_text(PROGRAM)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "shaped_program", raising=False)
    with install_import_hook("shaped_program", "tests.array_shapes.check_arrays"):
        program = importlib.import_module("shaped_program")
    assert program.gather(np.ones((2, 3)), np.array([0, 2])).tolist() == [1.0, 1.0]
    with pytest.raises(TypeCheckError):
        program.gather(values, at)
    assert program.knob("other types are none of its business") == "no int"
