"""The sphere, the landscape, the motifs, the matrix and the board, drawn."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.figures.motifs import motifs_figure
from app.figures.space_ruggedness import distance_figure, map_figure, walk_figure
from app.figures.sphere import SearchPath, sphere_figure
from app.figures.sphere_shapes import arc, ball_trace, dot_mesh, ribbon_mesh
from app.figures.transfer_matrix import (
    MEASURES,
    format_interval,
    transfer_measure_figure,
)
from engine.stats.search.fitness_landscape import fitness_distance
from engine.stats.search.motifs import find_motifs
from engine.stats.search.transfer_matrix import CellIntervals
from tests.figures.space_film import ROLES, atlas


def by_uid(fig: Any) -> dict[str, Any]:
    return {trace.uid: trace for trace in fig.data}


def test_every_architecture_is_on_the_sphere_once_in_its_color() -> None:
    space = atlas()
    all_of_it = by_uid(sphere_figure(space, ROLES))["all"]
    told = np.asarray(all_of_it.customdata)
    there = np.flatnonzero(np.isfinite(space.scores))
    assert set(told[:, 0].astype(int)) == set(there.tolist())
    np.testing.assert_allclose(
        all_of_it.intensity, 100 * space.scores[told[:, 0].astype(int)], rtol=1e-6
    )


def test_a_search_starts_and_ends_where_it_did() -> None:
    space = atlas()
    drawn = by_uid(sphere_figure(space, ROLES, SearchPath("warm", 0)))
    path = space.trained_indices("warm", 0)
    assert len(path) == 7  # the budget ended two evaluations before the horizon
    assert set(drawn["tried"].customdata) == set(path.tolist())
    best = [index for _, index in space.best_so_far("warm", 0)]
    assert drawn["way"].customdata[-1] == best[-1]
    seen = space.film.arrays["warm/signal"][0, :7]
    assert best[-1] == path[int(seen.argmax())]


def test_joining_every_evaluation_adds_ways() -> None:
    few = by_uid(sphere_figure(atlas(), ROLES, SearchPath("warm", 0)))["tried"]
    more = by_uid(
        sphere_figure(atlas(), ROLES, SearchPath("warm", 0, joins_every=True))
    )
    assert len(more["tried"].x) > len(few.x)


def test_only_searches_of_the_drawn_task_are_offered() -> None:
    assert atlas().search_indices("warm") == [0, 2]


def test_an_opened_architecture_is_marked_at_its_position() -> None:
    space = atlas()
    ring = by_uid(sphere_figure(space, ROLES, opened=7))["opened"]
    middle = np.array([ring.x.mean(), ring.y.mean(), ring.z.mean()])
    place = space.coordinates("sphere/xyz")[7]
    assert middle @ place / np.linalg.norm(middle) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize("name", ["sphere", "map"])
def test_no_map_goes_without_how_far_it_can_be_trusted(name: str) -> None:
    space = atlas()
    fig = sphere_figure(space, ROLES) if name == "sphere" else map_figure(space)
    held = space.geometry[name]
    read = fig.layout.meta["how_to_read"]
    assert f"Trustworthiness {held['trust']:.2f}" in read
    assert f"stress {held['stress']:.2f}" in read


def test_neighbors_differ_in_one_decision_the_best_first() -> None:
    space = atlas()
    near = space.nearest_neighbors(0)
    assert len(near) == 2 + 1 + 3
    assert (np.diff(space.ranks[near]) > 0).all()
    assert all(space.describe_change(0, int(n)).count("→") == 1 for n in near)
    assert space.index(space.code(17)) == 17


def test_arcs_stay_on_the_ball_and_are_the_shortest() -> None:
    start, end = np.array([1.0, 0, 0]), np.array([0.6, 0.8, 0])
    way = arc(start, end)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), 1.0)
    length = np.arccos((way[:-1] * way[1:]).sum(1).clip(-1, 1)).sum()
    assert length == pytest.approx(np.arccos(0.6))
    opposite = arc(start, -start)
    np.testing.assert_allclose(np.linalg.norm(opposite, axis=1), 1.0)
    np.testing.assert_allclose(opposite[[0, -1]], [start, -start])


def test_a_ribbon_belongs_to_where_it_leads_and_stays_out_of_the_ball() -> None:
    points = np.eye(3)
    mesh = ribbon_mesh(points, np.array([4, 5, 6]), 0.01, 1.02)
    assert set(mesh.owner) == {5, 6}
    assert np.linalg.norm(mesh.corners, axis=1).min() > 1.0
    assert mesh.triangles.max() == len(mesh.corners) - 1
    middle = mesh.corners[mesh.triangles].mean(1)
    assert np.linalg.norm(middle, axis=1).min() > 1.0


def test_nothing_to_join_is_no_ribbon() -> None:
    same = np.array([[1.0, 0, 0], [1.0, 0, 0]])
    mesh = dot_mesh(same, np.arange(2), 0.1).join(
        ribbon_mesh(same, np.arange(2), 0.01, 1.0)
    )
    assert len(mesh.triangles) == 2 * 2
    assert len(ball_trace().x)


def test_peaks_are_stars_and_basins_have_colors() -> None:
    space = atlas()
    drawn = by_uid(map_figure(space, by_basin=True, opened=3))
    assert drawn["optima"].customdata.tolist() == space.optima().tolist()
    colors = np.array(drawn["all"].marker.color)
    basin = space.basins()[drawn["all"].customdata]
    assert len(np.unique(basin)) > 1
    for b in np.unique(basin):
        assert len(set(colors[basin == b])) == 1


def test_the_correlation_is_written_beside_the_fall_of_accuracy() -> None:
    space = atlas()
    found = fitness_distance(space.scores, space.radix)
    fig = distance_figure(found)
    assert "correlation" in fig.layout.meta["notes"][0]
    np.testing.assert_allclose(by_uid(fig)["mean"].y, 100 * found.mean)
    walk = walk_figure(space.geometry["walk"])
    assert by_uid(walk)["walk"].y[0] == 1


def test_motifs_that_may_be_chance_are_grey() -> None:
    rng = np.random.default_rng(0)
    codes = rng.integers(2, size=(200, 3))
    accuracy = 0.5 + 0.1 * codes[:, 0] + 0.01 * rng.normal(size=200)
    found = find_motifs(codes, accuracy, [["a", "b"]] * 3)
    fig = motifs_figure(found)
    marks = [t for t in fig.data if t.mode == "markers"]
    assert len(marks) == min(len(found), 16)
    assert "circle" in {m.marker.symbol for m in marks}
    assert {m.marker.symbol for m in marks} == {
        "circle" if motif.is_significant else "circle-open" for motif in found[:16]
    }


def matrix() -> SimpleNamespace:
    mean = np.array([[0.5, -0.25], [np.nan, 0.0]])
    parts = (mean, mean - 0.1, mean + 0.1)
    held = {name: CellIntervals(*parts) for name in MEASURES}
    held["ratio"] = CellIntervals(*(np.exp2(part) for part in parts))
    return SimpleNamespace(
        sources=("digits", "wine"),
        targets=("moons", "a b c"),
        **held,
        calls=(("better", "worse"), ("can't tell yet", None)),
        level=np.full((2, 2), 0.9875),
        n=np.array([[5, 5], [0, 5]]),
    )


@pytest.mark.parametrize("measure", MEASURES)
def test_negative_transfer_is_marked_and_colors_are_even_around_nothing(
    measure: str,
) -> None:
    drawn = by_uid(transfer_measure_figure(matrix(), measure))
    cells, words = drawn["cells"], list(drawn["words"].text)
    assert cells.zmin == -cells.zmax
    assert np.asarray(cells.z)[0, 0] > 0 > np.asarray(cells.z)[0, 1]
    assert np.asarray(cells.z)[1, 1] == 0
    assert words[0].startswith("▲") and words[1].startswith("▼")
    assert words[2] == "–" and "▲" not in words[3]
    assert "transfer hurts" in cells.text[0][1]


def test_a_cell_shows_its_interval() -> None:
    found = format_interval(matrix().area, 0, 0, MEASURES["area"])
    assert found == "50 [40, 60] %"
    assert format_interval(matrix().area, 1, 0, MEASURES["area"]) == "not measured"
