"""What is seen inside few-shot learners, from blocks and artefacts to figures."""

from typing import Any

import numpy as np
import pytest

from app.charts import learner_internals
from app.client.client import Run
from engine.catalogue import find_card
from engine.contract.events import Artefact, Block
from engine.contract.run_spec import RunSpec, complete_spec


@pytest.fixture(scope="module")
def spec() -> RunSpec:
    learners = [{"name": "maml"}, {"name": "protonet", "role": "baseline"}]
    family = {"name": "gaussian_classes"}
    wanted = RunSpec.model_validate({"family": family, "learners": learners})
    return complete_spec(wanted, find_card, "cpu")


def run_of(spec: RunSpec, *blocks: Block, films: Any = None) -> Run:
    key = f"made-{len(blocks)}-{len(films or {})}"
    return Run(key, spec, blocks, films=films or {}, is_recorded=True)


def rate(step: int, values: np.ndarray, axes: tuple[str, ...]) -> Block:
    at = {"step": (float(step),)}
    name = ("maml", "validate", "inner_lr")
    return Block(*name, ("replicate", "step", *axes), values, coords=at)


def test_norms_are_geometric_means_over_tasks_and_leave_gaps_out(spec: RunSpec) -> None:
    values = np.ones((2, 3, 2, 2))
    values[..., 0, 1] = 4.0
    values[0, 0, 0, 1] = 4.0**7
    values[:, :, 1, :] = np.nan
    axes = ("replicate", "task", "step", "layer")
    block = Block("maml", "test", "inner_grad_norm", axes, values)
    (made,) = learner_internals.inside_charts(run_of(spec, block))
    np.testing.assert_allclose(
        made.wide.data[0].z, np.log10([[1.0], [16.0]]), atol=1e-6
    )


def test_rates_by_step_are_the_newest_and_rates_by_layer_a_history(
    spec: RunSpec,
) -> None:
    by_step = [
        rate(s, np.full((2, 1, 2, 3), 0.1 + s), ("layer", "inner_step")) for s in (8, 0)
    ]
    (made,) = learner_internals.inside_charts(run_of(spec, *by_step))
    assert made.wide.data[0].z.shape == (2, 3)
    assert set(made.wide.data[1].text) == {"8.1"}
    by_layer = [rate(s, np.full((2, 1, 2), 0.1 + s), ("layer",)) for s in (0, 4, 8)]
    (made,) = learner_internals.inside_charts(run_of(spec, *by_layer))
    assert list(made.wide.data[0].x) == ["0", "4", "8"]
    assert made.wide.layout.xaxis.title.text == "Meta-step"


@pytest.mark.parametrize("metric", ["meta_cosine", "particle_spread"])
def test_cosine_and_spread_are_lines_along_training(spec: RunSpec, metric: str) -> None:
    blocks = [
        Block(
            "maml",
            "validate",
            metric,
            ("replicate", "step"),
            np.array([[0.5], [0.7]]) + step / 100,
            coords={"step": (float(step),)},
        )
        for step in (0, 10)
    ]
    (made,) = learner_internals.inside_charts(run_of(spec, *blocks))
    line = next(t for t in made.wide.data if t.mode == "lines" and t.name == "MAML")
    np.testing.assert_allclose(line.y, [0.6, 0.7])


def test_snapshots_are_grouped_by_learner_and_drawn(spec: RunSpec) -> None:
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 4)
    films = {
        f"{label} {step}": Artefact(
            f"{label} {step}",
            "snapshot",
            {
                **{"support": rng.normal(size=(8, 3)), "support_y": y},
                **{"query": rng.normal(size=(8, 3)), "query_y": y},
            },
            {"learner": label, "meta_step": step},
        )
        for label in ("maml", "protonet")
        for step in (0, 5)
    }
    made = learner_internals.embedding_chart(run_of(spec, films=films))
    assert made is not None
    assert [frame.name for frame in made.wide.frames] == ["0", "5"]
    assert len(made.wide.layout.annotations) == 2
    assert learner_internals.embedding_chart(run_of(spec)) is None


def test_a_run_without_any_of_it_draws_nothing(spec: RunSpec) -> None:
    assert list(learner_internals.inside_charts(run_of(spec))) == []


def test_maps_are_the_newest_of_the_first_replicate_and_time_runs_right(
    spec: RunSpec,
) -> None:
    def shown(name: str, step: int, axes: tuple[str, str]) -> Block:
        values = np.arange(12.0).reshape(2, 1, 2, 3) + step
        at = {"step": (float(step),)}
        full = ("replicate", "step", *axes)
        return Block("protonet", "validate", name, full, values, coords=at)

    blocks = [shown("attention", s, ("query", "example")) for s in (9, 0)]
    blocks += [shown("memory_usage", 5, ("time", "slot"))]
    read, used = learner_internals.map_charts(run_of(spec, *blocks))
    assert (read.name, used.name) == ("map.attention", "map.memory_usage")
    np.testing.assert_array_equal(read.wide.data[0].z, [[9, 10, 11], [12, 13, 14]])
    np.testing.assert_array_equal(used.wide.data[0].z, [[5, 8], [6, 9], [7, 10]])
