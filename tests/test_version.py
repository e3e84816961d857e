"""The version stands in two files, and they agree."""

import tomllib
from pathlib import Path

from engine import __version__


def test_the_project_and_the_engine_have_one_version() -> None:
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text()
    assert tomllib.loads(text)["project"]["version"] == __version__
    changes = (Path(__file__).parent.parent / "CHANGELOG.md").read_text()
    assert __version__ in changes
