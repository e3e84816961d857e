"""A wheel adds one name to an environment, and holds all that the lab needs."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from metascope import lab_packages

ROOT = Path(__file__).parents[2]


def test_the_lab_is_found_in_place() -> None:
    assert lab_packages.ROOT == ROOT
    assert (lab_packages.ROOT / "engine" / "__main__.py").is_file()


def test_a_file_of_the_same_name_beside_the_notebook_does_not_stand_in(
    tmp_path: Path,
) -> None:
    for name in ("app.py", "engine.py"):
        (tmp_path / name).write_text("raise RuntimeError('mine')")
    code = "import metascope, app.figures, engine; print(engine.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "engine" / "api")},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(ROOT / "engine" / "__init__.py"), done.stderr


def test_another_module_of_the_same_name_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pages", ModuleType("pages"))
    with pytest.raises(ImportError, match="needs the module name 'pages'"):
        lab_packages.load_lab()


def test_a_wheel_is_built_by_the_script_that_renames_the_lab() -> None:
    body = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert body["build-system"]["requires"][0].startswith("hatchling==")
    hooks = body["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]
    assert (ROOT / hooks["custom"]["path"]).is_file()
    # Without a module of its name: the wheel's folder of the lab is called so.
    assert not (ROOT / "engine" / "api" / "metascope" / "_lab.py").exists()
