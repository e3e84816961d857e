"""Charts of agents, from blocks to figures."""

from typing import Any

import numpy as np
import pytest

from app.charts import rl
from app.charts.chart_options import ViewState
from app.client.client import Run
from app.figures.axis_range import BANDS_CUT
from engine.catalogue import find_card
from engine.contract.events import Block
from engine.contract.run_spec import RunSpec, complete_spec

HORIZON = 40


@pytest.fixture(scope="module")
def spec() -> RunSpec:
    wanted = {
        "family": {"name": "bernoulli_bandit"},
        "learners": [{"name": "rl2"}, {"name": "random_actions", "role": "baseline"}],
        "budget": {"horizon": HORIZON},
    }
    return complete_spec(RunSpec.model_validate(wanted), find_card, "cpu")


def trace(learner: str, metric: str, values: Any) -> Block:
    """Return a block of the tests; `values` has the shape (replicate, episode)."""
    array = np.asarray(values, dtype=float)[:, None]
    at = {"step": tuple(float(k) for k in range(1, array.shape[-1] + 1))}
    axes = ("replicate", "task", "step")
    return Block(learner, "test", metric, axes, array, coords=at)


def run_of(spec: RunSpec, spread: float) -> Run:
    """Return a run whose agents earn 0.6 and 0.4 of 0.9, two replicates apart."""
    blocks = []
    for learner, earned in (("rl2", 0.6), ("random_actions", 0.4)):
        values = earned + spread * np.array([[-1.0], [1.0]]) * np.ones(HORIZON)
        blocks += [
            trace(learner, "episode_return", values),
            trace(learner, "episode_regret", 0.9 - values),
        ]
    return Run(f"made-{spread}", spec, tuple(blocks), is_recorded=True)


def test_the_dashed_line_is_the_return_plus_the_regret(spec: RunSpec) -> None:
    made = rl.metric_chart(run_of(spec, 0.001), "episode_return", ViewState())
    assert made is not None
    assert [shape.y0 for shape in made.layout.shapes] == [pytest.approx(0.9)]
    assert rl.BEST in made.layout.meta["how_to_read"]
    regret = rl.metric_chart(run_of(spec, 0.001), "episode_regret", ViewState())
    assert regret is not None and not regret.layout.shapes


def test_bands_that_would_dwarf_the_lines_are_cut_and_the_chart_says_so(
    spec: RunSpec,
) -> None:
    narrow = rl.metric_chart(run_of(spec, 0.001), "episode_return", ViewState())
    assert narrow is not None and narrow.layout.yaxis.range is None
    assert BANDS_CUT not in narrow.layout.meta["notes"]
    wide = rl.metric_chart(run_of(spec, 0.2), "episode_return", ViewState())
    assert wide is not None
    # Lines and optimum lie between 0.4 and 0.9; as much room is left around them.
    low, high = wide.layout.yaxis.range
    assert -0.2 < low <= 0.4 and 0.9 <= high < 1.5
    assert BANDS_CUT in wide.layout.meta["notes"]


def test_long_trials_are_averaged_over_a_twentieth_of_their_episodes(
    spec: RunSpec,
) -> None:
    run = run_of(spec, 0.001)
    assert rl.smoothed_episodes(run) == 2
    step = np.where(np.arange(HORIZON) < 20, 0.0, 1.0)[None]
    stepped = Run("stepped", spec, (trace("rl2", "best_action", step),))
    raw = rl.metric_chart(stepped, "best_action", ViewState())
    smooth = rl.metric_chart(stepped, "best_action", ViewState(smooth=1.0))
    assert raw is not None and smooth is not None
    assert raw.data[-1].y[20] == 1 and len(raw.data) == 1
    assert smooth.data[-1].y[20] == pytest.approx(0.5)  # half of the past, half new
    assert smooth.data[0].y[20] == 1  # the faint line is as measured


def test_a_metric_that_no_agent_has_leaves_no_hole(spec: RunSpec) -> None:
    view = ViewState(metrics=rl.BEHAVIOR)
    assert rl.metric_chart(run_of(spec, 0.001), "best_action", view) is None
    assert list(rl.main_charts(run_of(spec, 0.001), view)) == []


def test_switches_are_drawn_of_bandits_and_the_first_pull_has_none(
    spec: RunSpec,
) -> None:
    rows = np.full((2, HORIZON), 0.8)
    rows[:, 0] = np.nan
    blocks = [trace("random_actions", name, rows) for name in rl.SWITCHES]
    run = Run("switches", spec, tuple(blocks), is_recorded=True)
    view = ViewState(metrics=rl.BEHAVIOR, smooth=1.0)
    made = list(rl.main_charts(run, view))
    assert [chart.name for chart in made] == list(rl.SWITCHES)
    words = made[0].figure.layout.meta["how_to_read"]
    assert "without reward" in words and "alive" not in str(made[0].figure.layout)
    assert not list(rl.main_charts(run_of(spec, 0.01), view))
