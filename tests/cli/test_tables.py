"""Tables on the command line: a run's comparison, and the published figures."""

import csv
import io
import json
from pathlib import Path

import pytest

from engine import __main__
from engine.export import CLAIMED, COMPARED
from engine.store import Store
from tests.store import fake


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    place = tmp_path / "home"
    monkeypatch.setenv("METASCOPE_HOME", str(place))
    return fake.played(Store.open(place), 1)


def test_the_table_of_a_run_is_printed_as_csv(
    key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["runs", "table", key[:10]]) == 0
    head, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    assert tuple(head) == COMPARED
    assert len(rows) == len(fake.spec(1).learners)


def test_the_calls_of_a_run_are_printed_as_csv(
    key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["runs", "table", key, "--claims"]) == 0
    (head,) = csv.reader(io.StringIO(capsys.readouterr().out))
    assert tuple(head) == CLAIMED  # made-up runs have no metric that decides


def test_and_as_latex_with_nothing_cut(
    key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["runs", "table", key, "--latex"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("% needs")
    assert text.endswith("\\end{table}\n")
    assert "sd}/\\sqrt{E}$ over $E =" in text


def test_published_figures_are_listed_with_how_far_to_trust_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert __main__.main(["published", "sinusoids", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["task"] for row in rows} == {"sinusoids"}
    assert __main__.main(["published"]) == 0
    text = capsys.readouterr().out
    assert "98.7 ± 0.4 %" in text
    assert "second-hand" in " ".join(text.split())


def test_published_results_on_an_unknown_task_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert __main__.main(["published", "moons"]) == 2
    said = capsys.readouterr().err
    assert "there are some on: " in said
    assert {"omniglot", "sinusoids", "bernoulli_bandit"} <= set(
        said.strip().partition("some on: ")[2].split(", ")
    )
