"""An episode's picture shows the examples, and marks exactly the wrong answers."""

import base64
import io
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from app.figures.animation import FilmOptions
from app.figures.episode import episode_figure, place_examples, wrong_queries
from app.figures.image_grid import compose_image, png_data_url
from tests.figures import few_shot
from tests.figures.few_shot import ROLES


def traces(fig: go.Figure, part: str) -> dict[str, Any]:
    ends = (t.uid.rpartition(":") for t in fig.data)
    return {
        label: t
        for (label, _, end), t in zip(ends, fig.data, strict=True)
        if end == part
    }


def test_only_the_wrong_answers_are_framed_and_counted() -> None:
    film = few_shot.episode()
    fig = episode_figure(film, ROLES)
    frames, answers = traces(fig, "frames"), traces(fig, "answers")
    for label in ROLES:
        given = film.arrays[f"{label}/answer"][0]
        lost = np.flatnonzero(given != film.arrays["query_y"][0])
        assert 0 < len(lost) < len(given)
        cells = place_examples(
            film.arrays["support_y"][0], film.arrays["query_y"][0]
        ).query
        loops = np.stack([frames[label].x, frames[label].y], 1).reshape(-1, 6, 2)
        np.testing.assert_array_equal(loops[:, 0], cells[lost])
        np.testing.assert_array_equal(loops[:, 2], cells[lost] + 1)
        assert list(answers[label].text) == [str(k + 1) for k in given[lost]]


def test_a_query_is_in_the_row_of_its_class_behind_the_support() -> None:
    y = np.array([1, 0, 1, 0])
    cells = place_examples(np.array([0, 1]), y)
    assert cells.query[:, 1].tolist() == [1, 0, 1, 0]
    assert cells.support[:, 1].tolist() == [0, 1]
    assert cells.query[:, 0].min() > cells.support[:, 0].max() + 1


@pytest.mark.parametrize(
    ("ways", "shots", "queries"), [(5, 1, 15), (20, 5, 3), (2, 1, 1)]
)
def test_no_two_examples_share_a_cell_and_all_are_on_the_sheet(
    ways: int, shots: int, queries: int
) -> None:
    cells = place_examples(
        np.repeat(range(ways), shots), np.repeat(range(ways), queries)
    )
    every = np.concatenate([cells.support, cells.query])
    assert len(np.unique(every.round(6), axis=0)) == len(every)
    assert every[:, 0].max() + 1 <= cells.width + 1e-9
    assert every[:, 1].max() + 1 <= cells.height


def test_the_sheet_holds_each_images_own_pixels() -> None:
    from PIL import Image

    film = few_shot.episode(side=6)
    (sheet, *_) = traces(episode_figure(film, ROLES), "sheet").values()
    data = base64.b64decode(sheet.source.partition(",")[2])
    seen = np.asarray(Image.open(io.BytesIO(data)))
    cells = place_examples(film.arrays["support_y"][0], film.arrays["query_y"][0])
    side = round(1 / sheet.dx)
    for image, (left, top) in zip(film.arrays["query"][0], cells.query, strict=True):
        y, x = round(top * side) + 2, round(left * side) + 2
        for color in range(3):
            np.testing.assert_array_equal(seen[y : y + 6, x : x + 6, color], image)
        assert (seen[y : y + 6, x : x + 6, 3] == 255).all()


def test_colored_images_and_pngs_keep_their_colors() -> None:
    from PIL import Image

    image = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    ground, side = compose_image([(image, 1.0, 0.0)], 2.0, 1.0)
    seen = np.asarray(
        Image.open(io.BytesIO(base64.b64decode(png_data_url(ground).partition(",")[2])))
    )
    assert side == 8
    np.testing.assert_array_equal(seen, ground)
    np.testing.assert_array_equal(seen[2:6, 10:14, :3], image)
    assert not seen[:, :8, 3].any()


def test_vectors_are_drawn_in_the_plane_with_the_wrong_ones_crossed_out() -> None:
    film = few_shot.episode(side=0)
    fig = episode_figure(film, ROLES)
    queries, crosses = traces(fig, "queries"), traces(fig, "crosses")
    for label in ROLES:
        lost = wrong_queries(film, label, 0)
        np.testing.assert_array_equal(crosses[label].x, queries[label].x[lost])
        np.testing.assert_array_equal(crosses[label].y, queries[label].y[lost])
        assert 0 < len(lost) < len(queries[label].x)


def test_a_nan_answer_is_wrong_and_labelled_so() -> None:
    film = few_shot.episode()
    film.arrays["maml/answer"][0, :] = -1
    fig = episode_figure(film, ROLES)
    assert set(traces(fig, "answers")["maml"].text) == {"–"}


def test_titles_count_the_shown_queries_and_say_where_there_are_more() -> None:
    film = few_shot.episode()
    film.arrays["maml/accuracy"][0] = 0.5
    texts = [note.text for note in episode_figure(film, ROLES).layout.annotations]
    assert texts[0].endswith("11 of 15 right shown, 50% of all")
    assert texts[1].endswith("11 of 15 right")


def test_a_phones_episode_has_the_same_traces_in_other_places() -> None:
    film = few_shot.episode()
    wide = episode_figure(film, ROLES, FilmOptions(columns=2))
    slim = episode_figure(film, ROLES, FilmOptions(columns=1))
    assert [t.uid for t in wide.data] == [t.uid for t in slim.data]
    assert [t.xaxis for t in wide.data] == [t.xaxis for t in slim.data]


def test_an_example_of_an_online_episode_is_drawn_once() -> None:
    film = few_shot.episode(side=0)
    film.info["online"] = True
    fig = episode_figure(film, ROLES)
    assert {t.uid.rpartition(":")[2] for t in fig.data} == {"support", "wrong"}
    for label, marks in traces(fig, "support").items():
        assert [int(k) - 1 for k in marks.text] == film.arrays["query_y"][0].tolist()
        lost = wrong_queries(film, label, 0)
        np.testing.assert_array_equal(
            traces(fig, "wrong")[label].x, np.asarray(marks.x)[lost]
        )


def count_images(sheet: go.Image, film: Any) -> float:
    """Return how many images' worth of opaque pixels a sheet has."""
    from PIL import Image

    data = base64.b64decode(sheet.source.partition(",")[2])
    opaque = np.asarray(Image.open(io.BytesIO(data)))[..., 3] == 255
    return float(opaque.sum()) / film.arrays["query"][0, 0].size


def test_an_image_of_an_online_episode_is_drawn_once() -> None:
    film = few_shot.episode()
    usual = traces(episode_figure(film, ROLES), "sheet")["maml"]
    film.info["online"] = True
    fig = episode_figure(film, ROLES)
    cells = place_examples(np.array([], int), film.arrays["query_y"][0])
    sheets, frames = traces(fig, "sheet"), traces(fig, "frames")
    for label in ROLES:
        lost = wrong_queries(film, label, 0)
        loops = np.stack([frames[label].x, frames[label].y], 1).reshape(-1, 6, 2)
        np.testing.assert_array_equal(loops[:, 0], cells.query[lost])
        assert count_images(sheets[label], film) == len(film.arrays["query_y"][0])
    both = len(film.arrays["query_y"][0]) + len(film.arrays["support_y"][0])
    assert count_images(usual, film) == both
