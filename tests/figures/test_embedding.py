"""The map of an embedding: one plane for all snapshots, and how true it is."""

import itertools

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as sklearn_trust

from app.figures.animation import FilmOptions
from app.figures.embedding import embedding_figure
from app.figures.projection import (
    class_colors,
    class_symbols,
    fit_plane,
    trustworthiness,
)
from tests.figures import few_shot
from tests.figures.few_shot import ROLES

POINTS = np.random.default_rng(6).normal(size=(40, 8)) @ np.diag([5, 3, *[1.0] * 6])


def test_the_plane_is_that_of_the_first_two_principal_components() -> None:
    plane, other = fit_plane(POINTS), PCA(2).fit(POINTS)
    theirs = other.transform(POINTS)
    np.testing.assert_allclose(np.abs(plane.project(POINTS)), np.abs(theirs), atol=1e-4)
    assert plane.share == pytest.approx(other.explained_variance_ratio_.sum())


def test_trust_is_what_scikit_learn_says() -> None:
    flat = fit_plane(POINTS).project(POINTS)
    theirs = sklearn_trust(POINTS, flat, n_neighbors=5)
    assert trustworthiness(POINTS, flat) == pytest.approx(theirs)
    assert trustworthiness(POINTS[:, :2], POINTS[:, :2]) == 1.0


def test_points_on_a_line_or_on_a_spot_have_a_plane() -> None:
    assert fit_plane(np.ones((5, 3))).share == 1.0
    assert fit_plane(np.arange(5.0)[:, None]).project(np.zeros((1, 1))).shape == (1, 2)


def test_all_snapshots_lie_in_the_plane_of_the_last() -> None:
    found = few_shot.snapshots()
    fig = embedding_figure(found, ROLES)
    assert [frame.name for frame in fig.frames] == ["0", "10", "20", "30"]
    last = max(found["maml"], key=lambda shot: shot.info["meta_step"])
    first = min(found["maml"], key=lambda shot: shot.info["meta_step"])
    every = np.concatenate([last.arrays["support"], last.arrays["query"]])
    plane = fit_plane(every)
    early = np.concatenate([first.arrays["support"], first.arrays["query"]])
    spots = np.stack([fig.frames[0].data[1].x, fig.frames[0].data[1].y], 1)
    np.testing.assert_allclose(spots, plane.project(early), atol=1e-5)
    np.testing.assert_array_equal(fig.data[1].x, fig.frames[-1].data[1].x)
    assert f"{plane.share:.0%} of variance" in fig.layout.annotations[0].text


def test_prototypes_are_the_supports_class_means_and_leave_a_trail() -> None:
    found = few_shot.snapshots()
    fig = embedding_figure(found, ROLES)
    last = max(found["maml"], key=lambda shot: shot.info["meta_step"])
    every = np.concatenate([last.arrays["support"], last.arrays["query"]])
    support, y = last.arrays["support"], last.arrays["support_y"]
    means = np.stack([support[y == k].mean(0) for k in range(4)])
    centers = np.stack([fig.data[2].x, fig.data[2].y], 1)
    np.testing.assert_allclose(centers, fit_plane(every).project(means), atol=1e-5)
    trails = np.asarray(fig.frames[2].data[0].x).reshape(4, -1)
    assert trails.shape == (4, 4)
    assert np.isnan(trails[:, -1]).all()
    np.testing.assert_array_equal(trails[:, 2], fig.frames[2].data[2].x)


def test_a_snapshot_that_blew_up_is_left_out() -> None:
    found = few_shot.snapshots()
    newest = max(found["maml"], key=lambda shot: shot.info["meta_step"])
    newest.arrays["query"][0, 0] = np.nan
    fig = embedding_figure({"maml": found["maml"]}, ROLES)
    assert [frame.name for frame in fig.frames] == ["0", "10", "20"]
    assert np.isfinite(fig.data[1].x).all()


def test_thirty_classes_differ_in_color_or_shape_and_neighbors_in_both() -> None:
    every = np.arange(30)
    looks = list(zip(class_colors(every), class_symbols(every), strict=True))
    assert len(set(looks)) == 30
    for one, two in itertools.pairwise(looks):
        assert one[0] != two[0]
        assert one[1] != two[1]


def test_a_phones_map_has_the_same_traces_in_other_places() -> None:
    found = few_shot.snapshots()
    wide, slim = (
        embedding_figure(found, ROLES, FilmOptions(columns=c)) for c in (3, 1)
    )
    assert [t.uid for t in wide.data] == [t.uid for t in slim.data]
    assert [t.xaxis for t in wide.data] == [t.xaxis for t in slim.data]
