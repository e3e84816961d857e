"""The comparison table, adaptation speed and decay under shift, of made-up episodes."""

import numpy as np
import pytest

from engine.contract.events import Block, Condition
from engine.contract.run_spec import RunSpec
from engine.stats.block_table import BlockTable
from engine.stats.curves import make_curve
from engine.stats.run_summary import summarize
from engine.stats.shift_and_transfer import (
    degradation,
    relative_drop,
    severity_curve,
)
from engine.stats.summaries.adaptation_speed import (
    adaptation_speed,
    learner_adaptation_speed,
)
from engine.stats.summaries.comparison_table import make_comparison
from tests.stats.made_up import (
    HERE,
    TITLES,
    few,
    few_shot,
    few_spec,
    number,
    spec,
    steps,
    threshold,
    trial,
)
from tests.stats.verdicts.test_optimization import noisy

SHAPE = (3, 40)


def at(severity: float) -> Condition:
    return Condition(shift="rotate", severity=severity)


def errors(mean: float, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return np.clip(mean + 0.05 * draw.standard_normal(SHAPE), 0, 1)


def run() -> list[Block]:
    blocks = [
        *few_shot("protonet", errors(0.1)),
        *few_shot("fine_tune", errors(0.2, 1)),
        *few_shot("protonet", errors(0.3, 2), at(30.0)),
        *few_shot("protonet", errors(0.5, 3), at(60.0)),
        *few_shot("protonet", errors(0.1), at(0.0)),
        number("protonet", "train", "examples_seen", 5000.0),
        number("protonet", "train", "gradient_evaluations", 100.0),
        number("fine_tune", "tune", "gradient_evaluations", 70.0),
    ]
    spent = np.array(200.0)
    return [*blocks, Block("fine_tune", "test", "gradient_evaluations", (), spent)]


def test_a_cell_is_an_accuracy_with_both_spreads_and_its_cost() -> None:
    made = make_comparison(BlockTable(run()), few_spec(), TITLES)
    assert (made.metric, made.unit, made.setting) == (
        "accuracy",
        "%",
        "glyphs, 5-way 1-shot",
    )
    first, second = made.rows
    cell = first.cells[0]
    assert cell is not None
    rows = 100 * (1 - errors(0.1))
    assert cell.spread.mean == pytest.approx(rows.mean())
    assert cell.spread.sd_trainings == pytest.approx(rows.mean(1).std(ddof=1))
    assert (first.examples, first.training, second.tuning) == (5000, 100, 70)
    assert second.examples is None
    assert second.cells[0] is not None
    assert second.cells[0].gradients == 200 / 40


def test_columns_are_conditions_once_each_and_a_gap_stays_a_gap() -> None:
    made = make_comparison(BlockTable(run()), few_spec(), TITLES)
    assert made.columns == (HERE, at(30.0), at(60.0))
    assert made.rows[1].cells[1:] == (None, None)
    assert [row.name for row in made.rows] == [
        "prototypical networks",
        "tuned pretrain + fine-tune",
    ]


def test_squared_errors_stay_as_they_are_and_landscapes_have_a_table_too() -> None:
    blocks = few_shot("maml", np.full(SHAPE, 2.5), classes=False)
    cell = make_comparison(BlockTable(blocks), few_spec(few("maml"))).rows[0].cells[0]
    assert cell is not None
    assert cell.spread.mean == 2.5
    found = make_comparison(
        BlockTable([threshold(), *trial("lr_scale", noisy(0.1, 1))]), spec()
    )
    assert found.metric == "training log loss"


# adaptation -------------------------------------------------------------------
def test_speed_is_the_first_step_with_nine_tenths_of_its_own_gain() -> None:
    shown = np.array([0.0, 1.0, 2.0, 5.0, 10.0])
    loss = np.array(
        [
            [2.0, 1.5, 1.05, 1.0, 1.0],
            [2.0, 2.0, 2.0, 2.0, 0.0],
            [2.0, 2.5, 3.0, 3.0, 3.0],
            [2.0, np.nan, np.nan, np.nan, np.nan],
            [2.0, 0.0, 5.0, 9.0, 9.0],
        ]
    )
    found = adaptation_speed(loss, shown)
    assert found.step.tolist() == [2.0, 10.0, 10.0, 10.0, 1.0]
    assert found.reached.tolist() == [True, True, False, False, True]


def test_the_summary_tells_speed_and_how_many_gained_anything() -> None:
    loss = np.ones((*SHAPE, 3)) * [1.0, 0.5, 0.05]
    loss[:, :10] = 1.0
    blocks = [
        *few_shot("maml", errors(0.1)),
        steps("maml", "query_loss", loss, 0, 1, 4),
    ]
    found = learner_adaptation_speed(BlockTable(blocks), "maml")
    assert found is not None
    row = summarize(blocks, few_spec(few("maml")))["conditions"][0]["learners"]["maml"]
    assert row["adaptation_steps"]["mean"] == 4.0
    assert row["gained"] == 90
    assert (
        learner_adaptation_speed(BlockTable(few_shot("maml", errors(0.1))), "maml")
        is None
    )


def test_a_curve_over_inner_steps_is_drawn_at_its_own_steps() -> None:
    loss = np.ones((*SHAPE, 3)) * [4.0, 2.0, 1.0]
    loss[:, ::2] *= 3.0
    found = make_curve(steps("maml", "query_mse", loss, 0.0, 1.0, 5.0))
    assert found.x.tolist() == [0.0, 1.0, 5.0]
    assert found.mean == pytest.approx([8.0, 4.0, 2.0])  # arithmetic, as published


# under shift ------------------------------------------------------------------
def test_error_degradation_over_severity_starts_at_the_error_in_distribution() -> None:
    found = severity_curve(BlockTable(run()), "protonet", "rotate")
    assert found is not None
    assert found.metric == "error"
    assert found.severity.tolist() == [0.0, 30.0, 60.0]
    assert found.mean == pytest.approx([0.1, 0.3, 0.5], abs=0.02)
    assert degradation(found) == pytest.approx(0.2, abs=0.02)
    assert relative_drop(found) == pytest.approx(4.0, abs=0.3)
    right = severity_curve(BlockTable(run()), "protonet", "rotate", "final_accuracy")
    assert right is not None
    assert degradation(right) == pytest.approx(degradation(found))


def test_without_error_in_distribution_the_relative_drop_is_undefined() -> None:
    blocks = [
        *few_shot("protonet", np.zeros(SHAPE)),
        *few_shot("protonet", np.full(SHAPE, 0.5), at(1.0)),
    ]
    found = severity_curve(BlockTable(blocks), "protonet", "rotate")
    assert found is not None
    assert np.isnan(relative_drop(found))


def repeated() -> tuple[list[Block], RunSpec]:
    """Return two untrained learners and a trained one on a fixed list of 20 tasks."""
    draw = np.random.default_rng(3)
    first, other = (draw.integers(0, 6, 20) / 5 for _ in range(2))
    blocks = [
        *few_shot("raw_neighbor", np.tile(first, (8, 1))),
        *few_shot("cosine", np.tile(other, (8, 1))),
        *few_shot("protonet", draw.integers(0, 6, (8, 20)) / 5),
    ]
    return blocks, few_spec(
        few("raw_neighbor"), few("protonet"), few("cosine", "baseline")
    )


def test_tasks_of_a_fixed_list_count_once_for_learners_that_are_not_trained() -> None:
    blocks, made = repeated()
    found = summarize(blocks, made)
    claims = {(c["learner"], c["against"]): c for c in found["claims"]}
    untrained = claims["raw_neighbor", "cosine"]
    assert (untrained["over"], untrained["n_tasks"]) == ("episodes", 20)
    assert claims["protonet", "cosine"]["over"] == "replicates"
    (level,) = (entry["learners"] for entry in found["conditions"])
    assert (level["raw_neighbor"]["error"]["n"], level["protonet"]["error"]["n"]) == (
        1,
        8,
    )
    cells = {
        row.label: row.cells[0]
        for row in make_comparison(BlockTable(blocks, "few_shot"), made).rows
    }
    assert cells["raw_neighbor"].spread.trainings == 1
    assert cells["protonet"].spread.trainings == 8
