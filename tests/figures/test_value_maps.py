"""Maps of value nets: each value at its place, walls apart, one scale for all."""

from typing import Any

import numpy as np
import plotly.graph_objects as go

from app.figures.animation import FilmOptions
from app.figures.value_maps import has_value_maps, value_maps_figure
from tests.figures.test_trial_films import ROLES, film, grid

WALL = 4  # the middle of nine cells


def mapped() -> Any:
    """Return a film on 3 × 3 cells; the value of a cell is its number."""
    made = grid()
    numbers = np.arange(9.0)[None]
    walled = np.where(numbers == WALL, np.nan, numbers)
    made.arrays |= {
        "places/seen": np.eye(9)[None],
        "places/first": walled,
        "places/last": walled / 8,
        "rl2/value_first": numbers - 20.0,
        "rl2/value_last": numbers,
    }
    return made


def drawn(made: Any) -> go.Figure:
    return value_maps_figure(made, ROLES, FilmOptions())


def values(figure: go.Figure) -> dict[str, Any]:
    """Return the values by label and word, without those of walls."""
    return {t.uid: t.z for t in figure.data if getattr(t, "coloraxis", None)}


def test_only_agents_with_a_value_net_have_maps_each_beside_the_optimum() -> None:
    assert has_value_maps(mapped()) and not has_value_maps(grid())
    found = values(drawn(mapped()))
    assert list(found) == ["rl2:at first", "rl2:adapted", "rl2:optimum"]


def test_cells_lie_row_by_row_from_the_bottom_and_walls_have_no_value() -> None:
    found = values(drawn(mapped()))["rl2:adapted"]
    rows = [[0, 1, 2], [3, np.nan, 5], [6, 7, 8]]
    np.testing.assert_array_equal(found, rows)
    walls = [t.z for t in drawn(mapped()).data if str(t.uid).endswith("walls")]
    np.testing.assert_array_equal(np.isnan(walls[0]), ~np.isnan(rows))


def test_all_panels_share_a_scale_with_0_in_it() -> None:
    axis = drawn(mapped()).layout.coloraxis
    assert (axis.cmin, axis.cmax) == (-20.0, 8.0)


def test_places_in_the_plane_lie_where_they_are_seen() -> None:
    made = film("plane", np.zeros((1, 2, 5, 2)), goal=[[0.3, 0.4]])
    seen = np.array([[-0.5, -0.5], [-0.5, 0.5], [0.5, -0.5], [0.5, 0.5]])
    made.arrays |= {"places/seen": seen[None], "places/first": np.zeros((1, 4))}
    made.arrays |= {"places/last": np.zeros((1, 4))}
    each = np.array([[1.0, 2.0, 3.0, 4.0]])
    made.arrays |= {"rl2/value_first": each, "rl2/value_last": each}
    figure = drawn(made)
    np.testing.assert_array_equal(values(figure)["rl2:adapted"], [[1, 3], [2, 4]])
    assert tuple(figure.data[0].x) == (-0.5, 0.5)


def test_no_grid_is_seen_through_pale_places() -> None:
    figure = drawn(mapped())
    axes = [*figure.select_xaxes(), *figure.select_yaxes()]
    assert all(axis.showgrid is False and axis.zeroline is False for axis in axes)
