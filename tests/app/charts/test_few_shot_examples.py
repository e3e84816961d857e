"""Charts over the examples show means of probes; accuracy where there are classes."""

from dataclasses import replace

import numpy as np

from app.charts import few_shot, few_shot_examples
from app.charts.chart_options import ViewState
from app.client.client import Run
from engine.catalogue import find_card
from engine.contract.events import Block
from engine.contract.run_spec import RunSpec, complete_spec

SHAPE = (3, 4)


def run_of(*blocks: Block) -> Run:
    learners = [{"name": "maml"}, {"name": "protonet", "role": "baseline"}]
    family = {"name": "gaussian_classes"}
    wanted = RunSpec.model_validate({"family": family, "learners": learners})
    spec = complete_spec(wanted, find_card, "cpu")
    return Run(f"made-{len(blocks)}", spec, blocks, is_recorded=True)


def probed(metric: str, axis: str, at: tuple[float, ...]) -> Block:
    rng = np.random.default_rng(0)
    values = rng.uniform(size=(*SHAPE, len(at)))
    axes = ("replicate", "task", axis)
    return Block("maml", "test", metric, axes, values, coords={axis: at})


def judged(metric: str) -> Block:
    return Block("maml", "test", metric, ("replicate", "task"), np.ones(SHAPE))


CHANCE = Block("", "test", "chance_error", (), np.array(0.8))


def test_accuracy_by_number_of_examples_has_a_line_of_chance() -> None:
    block = probed("context_error", "context", (0, 1, 2))
    trace = Block(
        "maml",
        "test",
        "query_accuracy",
        ("replicate", "task", "step"),
        np.ones((*SHAPE, 1)),
    )
    run = run_of(block, trace, CHANCE)
    fig = few_shot_examples.context_chart(run, ViewState())
    assert fig is not None
    (line,) = [t for t in fig.data if (t.uid or "").endswith(":mean")]
    np.testing.assert_allclose(line.y, 1 - block.array.mean((0, 1)))
    assert list(line.x) == [0, 1, 2]
    assert round(fig.layout.shapes[0].y0, 9) == 0.2
    assert "Dashed gray: chance, 20 %." in fig.layout.meta["how_to_read"]
    assert fig.layout.meta["title"] == "Accuracy by number of examples"


def test_errors_of_values_keep_their_unit() -> None:
    block = probed("context_error", "context", (1, 2, 5))
    block = replace(block, array=7 * block.array)
    fig = few_shot_examples.context_chart(run_of(block), ViewState(log=True))
    assert fig is not None
    (line,) = [t for t in fig.data if (t.uid or "").endswith(":mean")]
    np.testing.assert_allclose(line.y, block.array.mean((0, 1)))
    assert fig.layout.yaxis.type == "log"
    assert fig.layout.meta["title"] == "Error by number of examples"


def test_a_presentation_that_hardly_any_task_had_is_left_out() -> None:
    block = probed("presentation_accuracy", "presentation", (1, 2, 3))
    block.array[..., 2] = np.nan
    block.array[0, 0, 2] = 1.0  # of 12 tasks
    fig = few_shot_examples.presentation_chart(run_of(block, CHANCE), ViewState())
    assert fig is not None
    (line,) = [t for t in fig.data if (t.uid or "").endswith(":mean")]
    assert list(line.x) == [1, 2]
    assert "less than 10 % of the episodes" in fig.layout.meta["how_to_read"]
    assert not fig.layout.meta["notes"][1:]  # nothing diverged


def test_who_only_predicts_values_is_named_in_the_calibration() -> None:
    below = Block(
        "maml", "test", "below_share", ("replicate", "bin"), np.full((3, 20), 0.05)
    )
    spread = Block("maml", "validate", "residual_variance", ("replicate",), np.ones(3))
    fig = few_shot_examples.calibration_chart(run_of(below, spread), ViewState())
    assert fig is not None
    assert fig.layout.meta["how_to_read"].endswith(
        "Constant spread, from validation: MAML."
    )
    (points,) = [t for t in fig.data if (t.uid or "").endswith(":calibration")]
    np.testing.assert_allclose(points.y, points.x)


def test_a_run_without_probes_has_no_such_chart() -> None:
    run = run_of(judged("error"))
    assert not any(
        f(run, ViewState()) for f in few_shot_examples.CHARTS_OF_EXAMPLES.values()
    )


def test_groups_of_hardly_any_queries_are_left_out_of_the_calibration() -> None:
    share = np.zeros((3, 10))
    share[:, [3, 6, 9]] = 0.005, 0.4, 0.595
    at = np.tile(np.arange(10) / 10 + 0.05, (3, 1))
    rows = {"confidence_share": share, "bin_confidence": at, "bin_accuracy": at}
    axes = ("replicate", "bin")
    blocks = [Block("maml", "test", name, axes, rows[name]) for name in rows]
    fig = few_shot_examples.calibration_chart(run_of(*blocks, CHANCE), ViewState())
    assert fig is not None
    (points,) = [t for t in fig.data if (t.uid or "").endswith(":calibration")]
    np.testing.assert_allclose(points.x, [0.65, 0.95])


def test_a_step_that_needs_no_gradient_is_no_diverged_task() -> None:
    axes, at = ("replicate", "task", "step"), {"step": (0.0, 1.0, 2.0)}
    answers = np.ones((*SHAPE, 3))
    answers[0, 0, 1:] = np.nan  # one task diverges
    losses = np.where(np.arange(3) < 2, answers, np.nan)  # none after the last step
    blocks = [
        Block("maml", "test", name, axes, values, coords=at)
        for name, values in (("query_mse", answers), ("support_loss", losses))
    ]
    fig = few_shot.inner_metric_chart(run_of(*blocks), "support_loss", ViewState())
    assert fig is not None
    assert any("not diverged: 11 of 12" in note for note in fig.layout.meta["notes"])
    (line,) = [t for t in fig.data if (t.uid or "").endswith(":mean")]
    assert list(line.x) == [0, 1]
