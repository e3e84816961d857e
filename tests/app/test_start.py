"""The app starts the same from any folder, and names the package that it lacks."""

import re
import sys
import tomllib
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType

import plotly
import pytest
from streamlit import config
from streamlit.testing.v1 import AppTest

from app.client import catalogue
from app.widgets import live_plot
from tests.app.conftest import ROOT
from tests.app.views.run.test_run_page import texts

SCRIPT = ROOT / "app/navigation.py"


class Lacking:
    """An import system that does not find a package which a module of ours needs."""

    def __init__(self, module: str, package: str) -> None:
        self.module, self.package = module, package

    def find_spec(
        self, name: str, path: object = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == self.module:
            told = f"No module named {self.package!r}"
            raise ModuleNotFoundError(told, name=self.package)
        return None


def lack(patch: pytest.MonkeyPatch, module: str, package: str) -> None:
    """Let the import of a module of ours miss a package."""
    room, _, name = f"app.{module}".rpartition(".")
    patch.delitem(sys.modules, f"app.{module}", raising=False)
    patch.delattr(import_module(room), name, raising=False)
    patch.setattr(sys, "meta_path", [Lacking(f"app.{module}", package), *sys.meta_path])


def test_streamlit_finds_the_same_settings_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "_main_script_path", str(SCRIPT))
    last = Path(config.get_config_files("config.toml")[-1])  # the last one counts
    assert last.read_bytes() == (ROOT / ".streamlit/config.toml").read_bytes()
    settings = tomllib.loads(last.read_text())
    assert settings["server"]["address"] == "127.0.0.1"
    assert settings["browser"]["gatherUsageStats"] is False


def test_the_chart_libraries_are_served_from_here_and_are_of_one_version() -> None:
    whole = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    basic = ROOT / "app/static/plotly_basic/plotly-basic.min.js"
    assert Path(str(live_plot._WHOLE.abspath)) == whole.parent
    assert Path(str(live_plot._BASIC.abspath)) == basic.parent
    assert f"/{whole.name}?" in live_plot.WHOLE_LIBRARY
    assert f"/{basic.name}?" in live_plot.BASIC_LIBRARY
    found = [re.search(r"plotly\.js .*?(v[\d.]+)", _head(f)) for f in (whole, basic)]
    assert found[0] and found[1] and found[0][1] == found[1][1]


def _head(file: Path) -> str:
    with file.open(encoding="utf-8") as text:
        return text.read(400)


@pytest.mark.parametrize(
    ("module", "view"),
    [
        ("views.claims.transfer_matrix", "Transfer matrix"),
        ("views.claims.board", "Claims board"),
    ],
)
def test_a_view_that_lacks_a_package_names_it(
    lab: AppTest, monkeypatch: pytest.MonkeyPatch, module: str, view: str
) -> None:
    lack(monkeypatch, module, "scipy")
    lab.switch_page("../pages/claims.py")
    lab.session_state["view"] = view
    at = lab.run()
    assert not at.exception
    assert "The package scipy is not installed" in texts(at)
    assert "pip install -r requirements.txt" in texts(at)


def test_a_start_without_a_package_names_it(
    lab: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lack(monkeypatch, "widgets.page_frame", "diskcache")
    at = lab.run()
    assert not at.exception
    assert "The package diskcache is not installed" in texts(at)


def test_a_view_of_our_own_that_is_missing_is_a_fault(
    lab: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    lack(monkeypatch, "views.claims.board", "app.views.claims.interval_picture")
    lab.switch_page("../pages/claims.py")
    lab.session_state["view"] = "Claims board"
    assert lab.run().exception


def test_an_engine_without_a_package_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    said = "Traceback\nModuleNotFoundError: No module named 'torch'\n"
    answer = CompletedProcess([], 1, stdout="", stderr=said)
    monkeypatch.setattr(catalogue.subprocess, "run", lambda *_, **__: answer)
    with pytest.raises(catalogue.CatalogueError, match="package torch is not inst"):
        catalogue.run_catalogue_command()
