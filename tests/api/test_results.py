"""A result's tables, figures and files hold the numbers of the exported files."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import metascope as ms


def test_a_run_in_python_is_the_run_of_the_command_line(
    smoke: ms.Result, tmp_path: Path
) -> None:
    from engine.__main__ import main

    words = ["run", "smoke", "--replicates", "2", "--out", str(tmp_path / "cli")]
    assert main(words) == 0
    smoke.save(tmp_path / "here")
    for name in ("metrics.csv", "config.json"):
        here, there = (tmp_path / at / name for at in ("here", "cli"))
        assert here.read_bytes() == there.read_bytes(), name
    again = ms.load(tmp_path / "cli")
    assert again.metrics.equals(smoke.metrics) and again.key == smoke.key


def test_curves_are_the_bands_of_metrics_csv(smoke: ms.Result) -> None:
    rows = smoke.metrics
    at = (rows["metric"] == "loss") & (rows["phase"] == "test") & rows["step"].eq(7)
    mine = rows[at & (rows["learner"] == "sgd") & (rows["shift"] == "stretch")]
    curve = smoke.curves.query(
        "metric == 'loss' and learner == 'sgd' and shift == 'stretch' and x == 7"
    )
    for name in ("mean", "low", "high"):
        assert curve[name].item() == mine[mine["statistic"] == name]["value"].item()


def test_no_curve_has_two_points_at_one_place(episodes: ms.Result) -> None:
    for result in (episodes,):
        held = result.curves
        numbers = ["mean", "low", "high"]
        assert not held.drop(columns=numbers).duplicated().any()


def test_tasks_have_a_row_per_task_and_the_means_of_the_summary(
    smoke: ms.Result,
) -> None:
    final = smoke.tasks.query("metric == 'held_log_loss' and shift == 'none'")
    assert final.groupby("learner").size().eq(2 * 4).all()
    stored = smoke.summary["conditions"][0]["learners"]
    for learner, rows in final.groupby("learner"):
        mean = stored[learner]["held_log_loss"]["mean"]
        assert rows["value"].mean() == pytest.approx(mean, abs=1e-12)


def test_the_call_is_that_of_the_summary_and_of_the_claims(smoke: ms.Result) -> None:
    primary = smoke.claims[smoke.claims["primary"]].iloc[0]
    assert smoke.call.call == primary["call"]
    assert smoke.call.difference == primary["difference"]
    assert str(smoke.call) == smoke.summary["headline"]


def test_plots_are_the_figures_of_the_page_and_a_wrong_name_says_which(
    smoke: ms.Result,
) -> None:
    assert {"loss", "meta_training"} <= set(smoke.plots)
    loss = smoke.plot("loss")
    names = {trace.name for trace in loss.data if trace.name}
    assert any("LR scale" in name for name in names)
    loss.update_layout(title="mine")
    assert smoke.plot("loss").layout.title.text != "mine"  # a copy, to be changed
    with pytest.raises(ms.Refused, match="'loss'"):
        smoke.plot("los")
    with pytest.raises(ms.Refused, match="no figure 3; there are: 'loss'"):
        smoke.plot(3)  # type: ignore[arg-type]


def test_a_result_shows_itself(smoke: ms.Result) -> None:
    assert "tuned SGD" in smoke._repr_html_() and "tuned SGD" in repr(smoke)


def test_saving_into_another_runs_folder_is_refused(
    smoke: ms.Result, episodes: ms.Result, tmp_path: Path
) -> None:
    smoke.save(tmp_path)
    with pytest.raises(ms.Refused, match="another finished run"):
        episodes.save(tmp_path)
    book = json.loads(smoke.save(tmp_path / "again.ipynb").read_text())
    assert book["nbformat"] == 4
    with pytest.raises(ms.Refused, match="is not there"):
        ms.load(tmp_path / "nowhere")


def test_every_number_of_metrics_csv_is_in_the_table(smoke: ms.Result) -> None:
    table = smoke.metrics
    assert isinstance(table, pd.DataFrame)
    assert np.isfinite(table["value"]).sum() == table["value"].notna().sum()
    assert not table["status"].isna().any()
