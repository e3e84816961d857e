"""No cap is shown as a measurement: "at least", "blew up" or "not reached"."""

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from app.charts import optimization, per_task
from app.charts.chart_options import ViewState
from app.client.client import Run
from app.figures.adaptation_results import LostTasks, gain_figure
from app.views.run.evidence.score_table import constant_spread_notes, score_rows
from app.views.run.run_tables import format_cell
from engine.contract.events import Block, Condition
from engine.contract.kinds import FEW_SHOT, OPTIMIZATION, Kind
from engine.contract.run_spec import RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.inference.intervals import Interval
from engine.stats.run_summary import summarize
from engine.stats.summaries.comparison_table import make_comparison
from tests.stats.made_up import few, few_shot, few_spec, spec, threshold, trial

HARD = Condition(shift="stretch", severity=4.0)


def as_run(blocks: list[Block], made: RunSpec, kind: Kind) -> Run:
    """Return what the views read of a run."""
    fields = {
        "blocks": blocks,
        "spec": made,
        "table": BlockTable(blocks, kind.name),
        "summary": summarize(blocks, made),
        "kind": kind,
        "roles": {c.label: c.role for c in made.learners},
        "judged_label": made.learners[0].label,
        "cache_key": (object(),),  # no two of them share a figure
    }
    return cast("Run", SimpleNamespace(**fields))


def squares(lost: int) -> tuple[list[Block], RunSpec]:
    """Return a regression in which MAML diverged on so many of 8 episodes."""
    errors = np.full((2, 4), 3.0)
    errors.flat[:lost] = np.nan
    rival = np.array([[1.0, 2.0, 1.0, 2.0], [1.5, 1.0, 2.5, 2.0]])
    blocks = few_shot("maml", errors, classes=False)
    blocks += few_shot("fine_tune", rival, classes=False)
    return blocks, few_spec(few("maml"), few("fine_tune", "baseline", tuning="tuned"))


@pytest.mark.parametrize(
    ("lost", "told"), [(0, "3.000 ±"), (2, "at least 27.250 ·"), (8, "blew up")]
)
def test_a_squared_error_with_diverged_episodes_is_at_least_so_much(
    lost: int, told: str
) -> None:
    blocks, made = squares(lost)
    comparison = make_comparison(BlockTable(blocks, "few_shot"), made)
    assert format_cell(comparison.rows[0].cells[0], comparison.digits).startswith(told)
    row = score_rows(as_run(blocks, made, FEW_SHOT), {})[0]
    assert row["MSE"].startswith(told.split(".")[0])
    assert row["Error"].startswith(told.split(".")[0])


def test_an_accuracy_of_0_is_measured() -> None:
    errors = np.full((2, 4), 0.25)
    errors[0, 0] = np.nan
    blocks = few_shot("maml", errors) + few_shot("fine_tune", np.full((2, 4), 0.5))
    made = few_spec(few("maml"), few("fine_tune", "baseline", tuning="tuned"))
    comparison = make_comparison(BlockTable(blocks, "few_shot"), made)
    assert format_cell(comparison.rows[0].cells[0], 1).startswith("65.6 ±")
    row = score_rows(as_run(blocks, made, FEW_SHOT), {})[0]
    assert "at least" not in row["Accuracy"] + row["Error"]


def slow(reached: int) -> Run:
    """Return a run in which so many of 8 tasks reach 0.1 within 20 steps."""
    loss = np.ones((2, 4, 21))
    loss.reshape(8, 21)[:reached, 5:] = 0.05
    fast = np.full((2, 4, 21), 0.05)
    blocks = [threshold(0.1), *trial("lr_scale", loss), *trial("sgd_tuned", fast)]
    blocks += [*trial("lr_scale", loss, HARD), *trial("sgd_tuned", fast, HARD)]
    made = spec().model_copy(
        update={"budget": spec().budget.model_copy(update={"horizon": 20})}
    )
    return as_run(blocks, made, OPTIMIZATION)


@pytest.mark.parametrize(
    ("reached", "told"), [(8, "5 ["), (4, "at least 12.5"), (0, "not reached")]
)
def test_steps_of_tasks_that_never_got_there_are_at_least_so_many(
    reached: int, told: str
) -> None:
    assert score_rows(slow(reached), {})[0]["Steps to threshold"].startswith(told)


def test_steps_by_severity_name_their_cap_only_where_it_holds() -> None:
    def cap(reached: int) -> float | None:
        found = optimization.severity_curves(slow(reached), "steps_to_threshold")
        return found["stretch"][0].counted_as

    assert cap(8) is None
    assert cap(7) == 20.0


def test_a_task_that_never_got_there_has_no_dot_at_the_horizon() -> None:
    found = per_task.test_values(slow(6), "steps_to_threshold", ViewState())
    assert np.isnan(found["lr_scale"]).sum() == 2
    assert np.nanmax(found["lr_scale"]) == 5.0


def test_a_diverged_episode_has_no_dot_at_the_cap() -> None:
    blocks, made = squares(3)
    found = per_task.test_values(as_run(blocks, made, FEW_SHOT), "error", ViewState())
    assert np.isnan(found["maml"]).sum() == 3


def texts_of(lost: int) -> tuple[str, list[Any]]:
    level = {"maml": Interval(100.0, 100.0, 100.0, 2)}
    fig = gain_figure(
        {"maml": Interval(3.0, 2.0, 4.0, 2)},
        level,
        "final_mse",
        {"maml": "chosen"},
        {"maml": LostTasks(lost, 8)} if lost else None,
    )
    marks = [
        t for t in fig.data if t.marker.symbol and t.marker.symbol != "circle-open"
    ]
    return fig.layout.yaxis.ticktext[0], [t.hovertemplate for t in marks]


def test_a_learner_that_blew_up_has_no_mark_after_adaptation() -> None:
    name, marks = texts_of(8)
    assert "× all diverged" in name
    assert marks == []
    name, marks = texts_of(2)
    assert "× 2 of 8 diverged" in name
    assert marks[0].startswith("at least %{x:.3g} [")
    name, marks = texts_of(0)
    assert "diverged" not in name
    assert marks[0].startswith("%{x:.3g} [")


@pytest.mark.parametrize(
    ("capped", "told"), [(0, "1 ["), (2, "at least 5.75"), (8, "at least 20")]
)
def test_a_likelihood_at_its_cap_is_at_least_so_much(capped: int, told: str) -> None:
    """An episode may be answered with a finite error, but far too surely."""
    blocks, made = squares(0)
    nll = np.ones((2, 4))
    nll.flat[:capped] = 20.0
    blocks.append(Block("maml", "test", "nll", ("replicate", "task"), nll))
    row = score_rows(as_run(blocks, made, FEW_SHOT), {})[0]
    assert row["Negative log-likelihood"].startswith(told)
    assert row["MSE"].startswith("3")


def test_the_table_says_whose_spread_is_constant() -> None:
    blocks, made = squares(0)
    spread = Block("maml", "validate", "residual_variance", ("replicate",), np.ones(2))
    (note,) = constant_spread_notes(as_run([*blocks, spread], made, FEW_SHOT))
    assert note.endswith("from validation: MAML.")
    assert not constant_spread_notes(as_run(blocks, made, FEW_SHOT))
