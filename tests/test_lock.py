"""The lock: it fits what is asked for, holds everything, and names no place."""

import importlib.util
import re
import shutil
import tomllib
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / ".ci" / "locks"


@pytest.fixture
def lock() -> ModuleType:
    path = ROOT / ".ci" / "lock.py"
    spec = importlib.util.spec_from_file_location("_lock", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def copied(
    lock: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> ModuleType:
    """Return the lock's program over a copy of what it reads."""
    for name in (lock.RUN, lock.DEV):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(LOCKS, tmp_path / "locks")
    monkeypatch.setattr(lock, "ROOT", tmp_path)
    monkeypatch.setattr(lock, "LOCKS", tmp_path / "locks")
    return lock


def locked_text() -> str:
    return "".join(path.read_text() for path in sorted(LOCKS.iterdir()))


def test_the_lock_fits_what_is_asked_for(lock: ModuleType) -> None:
    assert lock.check() == []


def test_a_changed_a_new_and_a_removed_pin_are_noticed(copied: ModuleType) -> None:
    path = copied.ROOT / "requirements.txt"
    wanted = path.read_text()
    changes = {
        "pins typer==0.29.9, its lock typer==0.29.2": wanted.replace(
            "typer==0.29.2", "typer==0.29.9"
        ),
        "pins blosc2==4.1.0, its lock blosc2==none": wanted + "blosc2==4.1.0\n",
        "no longer names typer": wanted.replace("typer==0.29.2\n", ""),
        "has typer>=0.29, which is no pin: name==version": wanted.replace(
            "typer==0.29.2", "typer>=0.29"
        ),
    }
    for sentence, changed in changes.items():
        path.write_text(changed)
        assert f"requirements.txt {sentence}; run `make lock`" in copied.check()


def test_a_lock_that_is_not_there_fits_nothing(copied: ModuleType) -> None:
    (copied.LOCKS / "requirements-dev.lock").unlink()
    assert any("requirements-dev.txt pins pytest" in each for each in copied.check())


def test_whatever_an_installed_package_needs_here_is_locked(lock: ModuleType) -> None:
    """The truth is what the installed packages say, not what made the lock."""
    locked = lock.entries(locked_text())
    needed = {"pip"}
    for name in locked:
        try:
            words = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue  # of another system
        for each in map(Requirement, words):
            if each.marker is None or each.marker.evaluate({"extra": ""}):
                needed.add(lock.normal(each.name))
    assert len(needed) > 60
    assert needed <= locked.keys()


def test_the_lock_names_no_address_and_no_folder() -> None:
    assert not re.findall(r"^(?!#).*(?:://|index|/tmp|/home)", locked_text(), re.M)
    assert "--hash=sha256:" in locked_text()


def test_torch_may_be_any_of_its_known_builds(lock: ModuleType) -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    block = lock.entries((LOCKS / "torch.lock").read_text())["torch"]
    builds = settings["tool"]["metascope"]["build"]
    assert builds and all(each["sha256"] in block for each in builds)
    assert block.count("--hash=") > 20  # those of the index besides
    assert "torch" not in lock.entries((LOCKS / "requirements.lock").read_text())


def test_nvidias_libraries_are_asked_for_on_linux_alone(lock: ModuleType) -> None:
    cuda = lock.entries((LOCKS / "cuda.lock").read_text())
    assert "nvidia-cublas" in cuda and "triton" in cuda
    for name, block in cuda.items():
        assert "sys_platform == 'linux'" in block.splitlines()[0], name


def test_a_build_of_another_version_is_skipped(
    lock: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {"torch": "torch==9.0 \\\n    --hash=sha256:0\n"}
    assert lock.with_other_builds(other) == other
    assert "skipped, other version: torch 2.13.0+cpu" in capsys.readouterr().err


def test_everything_is_installed_with_hashes() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "INSTALL := $(BIN)/python -m pip install --quiet --no-deps" in makefile
    recipes = re.findall(r"^\$\(VENV\)/\.ready.*\n((?:\t.*\n)+)", makefile, re.M)
    assert len(recipes) == 2
    beside, index = (recipes[0].find(f"torch.lock{end}") for end in (" --", "\n"))
    assert 0 < beside < index  # a build that lies beside pip comes first
    for recipe in recipes:
        assert "$(INSTALL) -r $(LOCKS)/" in recipe
        assert "pip install" not in recipe


def test_the_lab_imports_nothing_that_its_own_lock_lacks(lock: ModuleType) -> None:
    parts = ("requirements", "torch")
    locked = lock.entries("".join(map(lock.lock_text, parts))).keys()
    owners = metadata.packages_distributions()
    imports = re.compile(r"^\s*(?:from|import) (\w+)", re.MULTILINE)
    files = [
        p for room in ("engine", "app", "pages") for p in (ROOT / room).rglob("*.py")
    ]
    imported = {name for path in files for name in imports.findall(path.read_text())}
    assert {"torch", "streamlit", "typer"} <= imported
    for name in imported & owners.keys():
        assert {lock.normal(each) for each in owners[name]} & locked, name
