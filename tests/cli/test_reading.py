"""Commands that only read: where there is no store they say so, and make none."""

import json
from pathlib import Path

import pytest

from engine import __main__
from engine.store import NoStore, Store
from tests.store import fake

KEY = "a" * 64
READING = [
    ["runs", "list"],
    ["runs", "show", KEY],
    ["runs", "table", KEY],
    ["runs", "export", KEY, "--out", "there"],
    ["knowledge", "export", KEY, "label", "there.json"],
    ["study"],
    ["doctor"],
    ["supervise", "--stop"],
]
CHANGING = [
    ["runs", "cancel", KEY],
    ["runs", "resume", KEY],
    ["runs", "delete", KEY, "--yes"],
]


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "home"
    monkeypatch.setenv("METASCOPE_HOME", str(place))
    monkeypatch.chdir(tmp_path)
    return place


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_command_that_reads_makes_no_store(
    words: list[str], nowhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(words) == 0
    said = " ".join("".join(capsys.readouterr()).split())
    if words[0] not in ("study", "supervise"):
        assert f"no runs yet: there is no store in {nowhere}" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("verb", "remedy"),
    [
        ("show", "isafolderthat`run`wrote:readsummary.json"),
        ("table", "holdsnorun.zip,therun'sarchive"),
    ],
)
def test_a_folder_that_run_wrote_is_refused_with_what_to_do(
    verb: str,
    remedy: str,
    nowhere: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "summary.json").write_text("{}")
    assert __main__.main(["runs", verb, str(tmp_path)]) == 2
    said = "".join(capsys.readouterr().err.split())
    assert remedy in said
    assert not nowhere.exists()


@pytest.mark.parametrize("words", CHANGING, ids=" ".join)
def test_a_run_of_no_store_cannot_be_changed(
    words: list[str], nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(words) == 2
    assert "there is no store in" in " ".join(capsys.readouterr().err.split())
    assert not nowhere.exists()


def test_a_list_for_programs_is_empty_json_where_there_is_no_store(
    nowhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["runs", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_a_store_that_was_moved_can_be_put_back_after_it_was_asked_for(
    nowhere: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = fake.submit(Store.open(nowhere), 1)
    nowhere.rename(tmp_path / "away")
    assert __main__.main(["runs", "list"]) == 0
    (tmp_path / "away").rename(nowhere)
    assert __main__.main(["runs", "list"]) == 0
    assert key[:12] in capsys.readouterr().out


def test_a_folder_without_an_index_is_no_store(nowhere: Path) -> None:
    nowhere.mkdir()
    with pytest.raises(NoStore):
        Store.open_existing(nowhere)
    assert list(nowhere.iterdir()) == []
