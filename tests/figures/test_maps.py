"""Maps keep their cells where they are, with a scale for each learner."""

import numpy as np

from app.figures.animation import FilmOptions
from app.figures.maps import maps_figure
from app.figures.shift import DIVERGING, SEQUENTIAL
from tests.figures.few_shot import ROLES


def test_each_learner_has_its_own_scale_and_weights_below_0_another_one() -> None:
    maps = {"maml": np.array([[0.2, 0.8]]), "protonet": np.array([[-2.0, 1.0]])}
    fig = maps_figure(maps, "attention", ROLES)
    shares, signed = fig.data
    np.testing.assert_allclose(shares.z, maps["maml"], atol=1e-6)
    assert (shares.zmin, round(shares.zmax, 6)) == (0.0, 0.8)
    assert (signed.zmin, signed.zmax) == (-2.0, 2.0)
    assert shares.colorscale == tuple((at, color) for at, color in SEQUENTIAL)
    assert "Orange" in fig.layout.meta["how_to_read"]
    assert signed.colorscale == tuple((at, color) for at, color in DIVERGING)


def test_cells_are_counted_from_1_and_the_first_row_is_on_top() -> None:
    fig = maps_figure({"maml": np.eye(3)}, "memory_usage", ROLES)
    assert "Orange" not in fig.layout.meta["how_to_read"]
    assert (fig.data[0].x0, fig.data[0].y0) == (1, 1)
    assert fig.layout.yaxis.autorange == "reversed"
    assert fig.layout.xaxis.title.text == "Examples seen"
    assert fig.layout.yaxis.title.text == "Memory slot"


def test_a_phone_has_one_map_a_row() -> None:
    maps = dict.fromkeys(ROLES, np.eye(4))
    wide = maps_figure(maps, "attention", ROLES, FilmOptions(columns=3))
    slim = maps_figure(maps, "attention", ROLES, FilmOptions(columns=1))
    assert [t.uid for t in wide.data] == [t.uid for t in slim.data]
    assert slim.layout.height == 3 * wide.layout.height
