"""Layers by steps: every learner on one scale, each cell what it is."""

import numpy as np

from app.figures.layer_heatmap import LayerGrid, layers_figure
from app.figures.shift import DIVERGING, SEQUENTIAL
from tests.figures.few_shot import ROLES

NORMS = LayerGrid(np.array([[4.0, 1.0, np.nan], [0.4, 0.1, np.nan]]), (0.0, 1.0, 2.0))
RATES = LayerGrid(np.array([[0.1, 0.2], [-0.3, 0.4]]), (0.0, 50.0), "meta-step")


def test_norms_are_drawn_by_their_logarithm_and_an_empty_step_is_left_out() -> None:
    fig = layers_figure({"maml": NORMS}, "inner_grad_norm", ROLES)
    cells = fig.data[0]
    np.testing.assert_allclose(cells.z, np.log10(NORMS.values[:, :2]), atol=1e-6)
    assert list(cells.x) == ["0", "1"]
    assert list(cells.y) == ["1", "2"]
    assert list(fig.data[1].text) == ["4", "1", "0.4", "0.1"]
    assert cells.colorscale == tuple((at, color) for at, color in SEQUENTIAL)


def test_rates_below_0_are_drawn_as_they_are_around_0() -> None:
    fig = layers_figure({"maml": RATES}, "inner_lr", ROLES)
    cells = fig.data[0]
    np.testing.assert_allclose(cells.z, RATES.values, atol=1e-7)
    assert (cells.zmin, cells.zmax) == (-0.4, 0.4)
    assert cells.colorscale == tuple((at, color) for at, color in DIVERGING)
    assert "below 0" in fig.layout.meta["how_to_read"]
    assert fig.layout.xaxis.title.text == "Meta-step"


def test_all_learners_share_one_scale() -> None:
    grids = {"maml": NORMS, "protonet": NORMS._replace(values=100 * NORMS.values)}
    fig = layers_figure(grids, "inner_grad_norm", ROLES)
    maps = [t for t in fig.data if t.type == "heatmap"]
    assert len({(t.zmin, t.zmax) for t in maps}) == 1
    assert maps[0].zmax == np.log10(400)


def test_a_learner_that_blew_up_does_not_hide_the_others() -> None:
    lost = NORMS._replace(values=np.where(NORMS.values == 4.0, 1e30, NORMS.values))
    fig = layers_figure({"maml": NORMS, "protonet": lost}, "inner_grad_norm", ROLES)
    assert fig.data[0].zmax < 3.0
    assert fig.data[2].text[0][0] == "1e+30"


def test_many_steps_are_not_written_into_their_cells() -> None:
    wide = LayerGrid(np.ones((2, 20)), tuple(map(float, range(20))))
    fig = layers_figure({"maml": wide}, "inner_grad_norm", ROLES)
    assert [t.type for t in fig.data] == ["heatmap"]
    assert "text" in fig.data[0].hovertemplate
