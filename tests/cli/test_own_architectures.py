"""The command that takes an own table: a spec for `run`, or one sentence."""

import json
from pathlib import Path

import pytest

from engine import __main__
from engine.catalogue import find_card
from engine.contract.run_spec import RunSpec
from engine.data.user.csv_store import kept_digests

TABLE = "dataset,op:width,validation\na,4,0.5\na,8,0.6\nb,4,0.4\nb,8,0.9\n"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    return tmp_path


def called(home: Path, text: str, *more: str) -> int:
    file = home / "own.csv"
    file.write_text(text)
    return __main__.main(["data", "own-architectures", str(file), *more])


def test_an_own_table_becomes_a_spec(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(home, TABLE, "--target", "b") == 0
    spec = RunSpec.model_validate(json.loads(capsys.readouterr().out))
    (digest,) = kept_digests()
    knobs = {"digest": digest, "accuracy": "share", "target": "b"}
    assert spec.family.name == "own_architectures" and spec.family.knobs == knobs


def test_a_refused_file_is_not_stored(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(home, TABLE, "--target", "c") == 2
    assert "no data set 'c'; it has: a, b" in " ".join(capsys.readouterr().err.split())
    assert called(home, TABLE.replace("0.9", "good")) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "line 5: 'validation' has 'good'" in told
    assert kept_digests() == []


def emitted(home: Path, capsys: pytest.CaptureFixture[str], text: str) -> RunSpec:
    assert called(home, text) == 0
    return RunSpec.model_validate(json.loads(capsys.readouterr().out))


def test_a_search_evaluates_at_most_a_third_of_the_table(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"{task},{width},0.5" for task in "ab" for width in range(27)]
    spec = emitted(home, capsys, "\n".join(["dataset,op:width,validation", *lines]))
    assert spec.budget.horizon == 9


def test_with_one_data_set_nothing_is_trained_on_the_test_task(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = emitted(home, capsys, TABLE)
    assert any(find_card("learner", c.name).traits["trains"] for c in both.learners)
    spec = emitted(home, capsys, "\n".join(TABLE.split("\n")[:3]))
    assert {c.role for c in spec.learners} == {"chosen", "baseline"}
    for choice in spec.learners:
        assert not find_card("learner", choice.name).traits["trains"]


def test_the_remedy_of_a_sentence_works_and_percent_signs_are_read(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"{width},{60 + width}.13{end}" for width, end in ((2, "%"), (4, " %"))]
    text = "\n".join(["width,val acc", *lines, "8,", "16,71.5%"])
    assert called(home, text) == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "(--column decision=NAME)" in told
    assert called(home, text, "--column", "decision=width") == 0
    seen = capsys.readouterr()
    assert "accuracies are read as percent" in " ".join(seen.err.split())
    assert json.loads(seen.out)["family"]["name"] == "own_architectures"
