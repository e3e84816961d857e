"""The table of claims says in each row what the summary says."""

import csv
import io

import numpy as np

from engine.contract.events import Block
from engine.export import RunRecord, claims_csv
from engine.stats.run_summary import summarize
from tests.stats.made_up import TUNED, chosen, spec

AXES = ("replicate", "task")


def test_a_row_has_the_call_and_the_interval_of_the_summary() -> None:
    draw = np.random.default_rng(0)
    blocks = [
        Block(label, "test", "area", AXES, level + 0.1 * draw.standard_normal((8, 4)))
        for label, level in (("=lr", -1.0), ("sgd_tuned", 0.0))
    ]
    blocks.append(Block("=lr", "test", "diverged", AXES, np.eye(8, 4)))
    blocks.append(Block("sgd_tuned", "test", "diverged", AXES, np.zeros((8, 4))))
    run = spec(chosen("=lr"), TUNED)
    made = claims_csv(RunRecord("key", run, blocks, [], [])).decode()
    (row,) = csv.DictReader(io.StringIO(made))
    (claim,) = summarize(blocks, run)["claims"]
    assert (row["learner"], row["against"], row["call"]) == (
        "'=lr",
        "sgd_tuned",
        "better",
    )
    for name in ("difference", "low", "high", "level", "margin"):
        assert float(row[name]) == claim[name]
    assert (row["primary"], row["diverged"], row["diverged_against"]) == (
        "1",
        "4",
        "0",
    )
    assert row["more_replicates"] == ""


def test_a_claim_without_an_interval_has_empty_cells() -> None:
    blocks = [
        Block(label, "test", "area", AXES, np.zeros((1, 4)))
        for label in ("lr_scale", "sgd_tuned")
    ]
    made = claims_csv(RunRecord("key", spec(), blocks, [], [])).decode()
    (row,) = csv.DictReader(io.StringIO(made))
    assert (row["low"], row["high"], row["call"]) == ("", "", "can't tell yet")
