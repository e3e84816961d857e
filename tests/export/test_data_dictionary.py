"""A run's files read as their dictionary says, with pandas alone."""

import json
import math
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.__main__ import main
from engine.contract.metrics import METRICS
from engine.export.data_dictionary import data_dictionary
from engine.export.long_format import COLUMNS

PLACES = COLUMNS[COLUMNS.index("replicate") : COLUMNS.index("value")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "smoke"
    assert main(["run", "smoke", "--replicates", "2", "--out", str(out)]) == 0
    return out


def test_metrics_csv_reads_without_a_warning_and_grouping_loses_no_row(
    folder: Path,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = pd.read_csv(folder / "metrics.csv")
    texts = [name for name in COLUMNS if name not in (*PLACES, "value")]
    assert table.groupby(texts).size().sum() == len(table)
    assert table["value"].isna().sum() == (~table["status"].isin(FINITE)).sum()


FINITE = ("ok", "censored")


def call_of(row: pd.Series) -> str:
    """Return a call as the dictionary says that it follows."""
    if -row["margin"] < row["low"] and row["high"] < row["margin"]:
        return "equal"
    if row["high"] < 0:
        return "better"
    return "worse" if row["low"] > 0 else "can't tell yet"


def test_calls_and_differences_follow_from_the_tables(folder: Path) -> None:
    claims = pd.read_csv(folder / "claims.csv")
    by_interval = claims[claims["by_divergence"] == 0]
    assert len(by_interval) > 5
    assert list(by_interval.apply(call_of, axis=1)) == list(by_interval["call"])
    metrics = pd.read_csv(folder / "metrics.csv")
    means = metrics[(metrics["statistic"] == "mean") & (metrics["phase"] == "test")]
    means = means[means[list(PLACES)].isna().all(axis=1)]
    at = ["learner", "test_family", "shift", "severity", "metric"]
    value = means.set_index(at)["value"]
    checked = 0
    for row in claims.to_dict("records"):
        place = [row[name] for name in at[1:]]
        pair = [(row[who], *place) for who in ("learner", "against")]
        if not all(each in value.index for each in pair):
            continue  # compared by censored times, not by means
        here, there = (value[each] for each in pair)
        if METRICS[row["metric"]].mean == "geometric":
            here, there = math.log(here), math.log(there)
        if METRICS[row["metric"]].unit != "steps":
            assert row["difference"] == pytest.approx(here - there, abs=1e-9), row
            checked += 1
    assert checked > 3


def test_the_summary_holds_the_claims_and_only_fields_of_the_dictionary(
    folder: Path,
) -> None:
    summary = json.loads((folder / "summary.json").read_bytes())
    claims = pd.read_csv(folder / "claims.csv")
    assert [each["call"] for each in summary["claims"]] == list(claims["call"])
    np.testing.assert_allclose(
        [each["difference"] for each in summary["claims"]], claims["difference"]
    )
    text = data_dictionary().decode()
    body = text.partition("## summary.json")[2].partition("## timings")[0]
    known = set(re.findall(r"\w+", body))
    assert set(summary) <= known


def test_the_dictionary_names_every_column_and_every_metric(folder: Path) -> None:
    text = (folder / "DATA_DICTIONARY.md").read_text()
    for file in ("metrics.csv", "claims.csv"):
        for column in pd.read_csv(folder / file, nrows=0).columns:
            assert re.search(rf"\|.*\b{column}\b.*\|", text), column
    for name in METRICS:
        assert f"| {name} |" in text, name


def test_a_folder_opens_in_the_lab_and_several_are_one_table(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("METASCOPE_HOME", str(folder.parent / "store"))
    assert main(["runs", "table", str(folder), "--claims"]) == 0
    alone = capsys.readouterr().out
    assert alone == (folder / "claims.csv").read_text()
    assert not (folder.parent / "store").exists()
    assert main(["runs", "import", str(folder)]) == 0
    key = json.loads((folder / "summary.json").read_bytes())["run"]
    capsys.readouterr()
    assert main(["runs", "table", str(folder), key[:12], "--claims"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[0].startswith("run,learner,")
        and len(lines) == 2 * (len(alone.splitlines()) - 1) + 1
    )
    assert {line.split(",")[0] for line in lines[1:]} == {str(folder), key[:12]}
