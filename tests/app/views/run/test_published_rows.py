"""A published accuracy at a presentation stands beside this run's at the same one."""

import numpy as np

from app.client.client import Run
from app.views.run import run_tables
from app.views.run.few_shot import _own_results
from engine.catalogue import find_card
from engine.contract.events import Block
from engine.contract.run_spec import RunSpec, complete_spec
from engine.published import figures_for_task


def sequences(values: np.ndarray) -> Run:
    """Return a run with these accuracies; shape (replicate, task, presentation)."""
    learners = [{"name": "mann"}, {"name": "raw_neighbor", "role": "baseline"}]
    family = {"name": "gaussian_sequences"}
    wanted = RunSpec.model_validate({"family": family, "learners": learners})
    axes, per_task = ("replicate", "task", "presentation"), ("replicate", "task")
    at = {"presentation": tuple(map(float, range(1, values.shape[2] + 1)))}
    right = values.mean(2)
    blocks = [
        Block("mann", "train", "gradient_evaluations", ("replicate",), np.ones(2)),
        Block("mann", "test", "presentation_accuracy", axes, values, coords=at),
        Block("mann", "test", "final_accuracy", per_task, right),
        Block("mann", "test", "error", per_task, 1 - right),
    ]
    spec = complete_spec(wanted, find_card, "cpu")
    return Run("made-sequences", spec, tuple(blocks), is_recorded=True)


def test_the_accuracy_at_each_presentation_is_paired() -> None:
    values = np.array([[[0.3, 0.8, 0.9]], [[0.4, 0.9, 1.0]]])
    ours = _own_results(sequences(values), {})
    published = figures_for_task("omniglot_sequences", 5, 0)
    rows = list(run_tables._published_rows(published, ours, apart=False))
    here = {row["Method"]: row["Here"] for row in rows}
    assert here["MANN, presentation 1"].startswith("35.0 [")
    assert here["MANN, presentation 3"].startswith("95.0 [")
    assert here["MANN, presentation 10"] == here["LSTM, presentation 2"] == "–"
    low, high = map(float, here["MANN, presentation 3"][6:-1].split(", "))
    assert 0 < low < 50  # two trainings know little, but no accuracy is above 100 %
    assert 95 < high <= 100
    ahead = [row for row in rows if row["Source"] == "this run"]
    assert [row["Method"] for row in ahead] == ["MANN", "nearest neighbor"]
