"""A gallery: pages that open from a disk, written as a whole, over nothing else."""

import html
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import typer

from app.client import client
from app.gallery import __main__ as command
from app.gallery import folder
from app.gallery.__main__ import write_gallery
from app.gallery.chosen_runs import choose_keys
from app.widgets import figure_files
from engine.contract.errors import Refused
from engine.contract.run_groups import CLAIM
from engine.store import RunGroups
from engine.store.run_groups import NewMember

HOSTILE = '</title><script>alert(1)</script> & "quotes"'
LAB = "https://lab.example.org/meta"


@pytest.fixture(autouse=True)
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are made without Chromium, which takes seconds to start."""
    monkeypatch.setattr(figure_files, "can_render", lambda: False)


def test_a_hostile_title_does_nothing_and_all_that_a_page_loads_is_beside_it(
    home: Path, key: str, tmp_path: Path
) -> None:
    client.rename(key, HOSTILE)
    out = tmp_path / "site"
    write_gallery(out, [key[:8]], lab=LAB, site="https://example.org/runs")
    page = (out / f"{key[:12]}.html").read_text()
    index = (out / "index.html").read_text()
    for text in (page, index):
        assert "<script>alert" not in text and "&lt;script&gt;alert(1)" in text
        policy = re.search(r'Security-Policy" content="([^"]*)"', text)
        assert policy and "'unsafe-inline'" not in policy[1].split("style-src")[0]
        loaded = re.findall(r'<(?:script|img|link)[^>]* (?:src|href)="([^"]*)"', text)
        beside = [name for name in loaded if not name.startswith("data:")]
        assert all((out / name).is_file() for name in beside)
    assert re.search(r'<script src="plotly-[0-9a-f]{12}\.min\.js">', page)
    assert f'href="{LAB}/lab?run={key}&amp;x=1.' in page
    assert f'"og:image" content="https://example.org/runs/{key[:12]}.svg"' in page
    verdict = html.escape(client.summary(key)["headline"])  # type: ignore[index]
    assert f'"og:description" content="{verdict}"' in page
    assert len(page) < 1_000_000  # the chart library is not in it
    listed = json.loads((out / "gallery.json").read_text())
    assert [run["key"] for run in listed["runs"]] == [key]


def test_a_gallery_replaces_an_earlier_one_and_nothing_else(tmp_path: Path) -> None:
    out = tmp_path / "site"
    with folder.new_gallery(out) as part:
        for name in ("index.html", "old.html"):
            (part / name).write_text("first")
        (part / folder.MANIFEST).write_text('{"files": ["index.html", "old.html"]}')
    (out / ".nojekyll").touch()  # of the host, so it stays
    with folder.new_gallery(out) as part:
        (part / "index.html").write_text("second")
        (part / folder.MANIFEST).write_text('{"files": ["index.html"]}')
    names = {path.name for path in out.iterdir()}
    assert names == {"index.html", folder.MANIFEST, ".nojekyll"}
    assert (out / "index.html").read_text() == "second"
    (out / "mine.txt").write_text("mine")
    with pytest.raises(Refused, match=r"mine\.txt"), folder.new_gallery(out):
        pass
    assert (out / "index.html").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_an_error_leaves_the_earlier_gallery_as_it_was(tmp_path: Path) -> None:
    out = tmp_path / "site"
    with pytest.raises(FileNotFoundError), folder.new_gallery(out) as part:
        (part / "missing" / "index.html").write_text("half")
    assert not out.exists()


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"runs": ["0" * 8]}, "00000000"),
        ({"runs": ["1"]}, "4 digits"),
        ({"runs": [], "lab": "lab.example.org"}, "no address"),
        ({"runs": [], "site": "https://example.org/?q=1"}, "no address"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_one_sentence(
    given: dict[str, object],
    why: str,
    home: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit):
        write_gallery(tmp_path / "site", **given)  # type: ignore[arg-type]
    said = capsys.readouterr().err
    assert why in said and said.count("\n") == 1
    assert not (tmp_path / "site").exists()


def test_a_group_is_named_by_its_id_and_runs_without_results_are_left_out(
    home: Path, key: str
) -> None:
    store = client.store()
    spec = client.spec(key)
    waiting = "e" * 64
    store.submit(spec.model_copy(update={"seed": 99}), waiting, "Waiting")
    members = [NewMember(each, {}) for each in (key, waiting)]
    RunGroups(store.index).add("ab" * 6, "A claim", members, CLAIM)
    assert choose_keys(["abab"], recorded=False) == [key]


def test_of_a_demo_only_named_runs_are_shown(
    home: Path,
    key: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = list[str]()

    def build(out: Path, runs: Sequence[Callable[[], client.Run]], *_: object) -> None:
        shown.extend(read().key for read in runs)

    monkeypatch.setattr(command, "build_gallery", build)
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    with pytest.raises(typer.Exit):  # there is no recorded example in these tests
        write_gallery(tmp_path / "site")
    assert "no finished run" in capsys.readouterr().err
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    write_gallery(tmp_path / "site", [key[:8]])
    assert shown == [key]
