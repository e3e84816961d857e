"""The film of curves shows, frame by frame, what each learner predicted."""

import json

import numpy as np
import pytest

from app.figures.animation import FilmOptions
from app.figures.function_adaptation import EACH, adaptation_figure, frame_at
from tests.figures import few_shot
from tests.figures.few_shot import ROLES


def test_every_frame_shows_each_learners_newest_curve_and_error() -> None:
    film = few_shot.adaptation()
    fig = adaptation_figure(film, ROLES, FilmOptions(task=1))
    assert [frame.name for frame in fig.frames] == ["0", "2", "4", "6", "8", "10"]
    for number, frame in enumerate(fig.frames):
        assert frame.traces == tuple(EACH * i + EACH - 1 for i in range(3))
        for place, label in enumerate(ROLES):
            at = min(number, few_shot.STEPS[label] - 1)
            curve = film.arrays[f"{label}/curve"][1, at]
            np.testing.assert_array_equal(frame.data[place].y, curve)
            told = frame.layout.annotations[place].text
            mse = film.arrays[f"{label}/mse"][1, at]
            assert f"MSE {mse:.3g}" in told
            # The mark stands where the learner's own newest step is its answer.
            counts = 2 * at == film.info["answers"][label]
            assert told.endswith("◆") == counts


def test_it_is_paused_at_the_end_on_the_chosen_task() -> None:
    film = few_shot.adaptation()
    fig = adaptation_figure(film, ROLES, FilmOptions(task=2))
    truth, before, support, now = fig.data[:EACH]
    np.testing.assert_array_equal(truth.y, film.arrays["truth"][2])
    np.testing.assert_array_equal(before.y, film.arrays["maml/curve"][2, 0])
    np.testing.assert_array_equal(now.y, film.arrays["maml/curve"][2, -1])
    np.testing.assert_array_equal(support.x, film.arrays["support_x"][2])
    assert fig.layout.sliders[0].active == 5
    assert fig.layout.meta["frames"] == "inner step"


def test_support_beyond_the_grid_is_seen() -> None:
    film = few_shot.adaptation()
    assert adaptation_figure(film, ROLES).layout.xaxis.range == (-5.0, 5.0)
    film.arrays["support_x"][0, 0] = 7.5
    assert adaptation_figure(film, ROLES).layout.xaxis.range == (-5.0, 7.5)


def test_the_axis_range_does_not_depend_on_a_diverged_curve() -> None:
    film = few_shot.adaptation()
    near = adaptation_figure(film, ROLES).layout.yaxis.range
    film.arrays["maml/curve"][0, -1] = 1e6
    film.arrays["maml/curve"][0, 0] = np.nan
    fig = adaptation_figure(film, ROLES)
    assert fig.layout.yaxis.range == near
    json.loads(fig.to_json(), parse_constant=pytest.fail)


def test_a_phones_film_has_the_same_traces_in_other_places() -> None:
    film = few_shot.adaptation()
    wide = adaptation_figure(film, ROLES, FilmOptions(columns=3))
    slim = adaptation_figure(film, ROLES, FilmOptions(columns=2))
    assert [t.uid for t in wide.data] == [t.uid for t in slim.data]
    assert [t.xaxis for t in wide.data] == [t.xaxis for t in slim.data]
    assert wide.layout.yaxis3.domain != slim.layout.yaxis3.domain


def test_a_learners_curve_is_flat_between_its_steps() -> None:
    assert [frame_at(np.array([0, 5]), s) for s in (0, 4, 5, 9)] == [0, 0, 1, 1]


def test_a_long_film_of_many_learners_stays_small() -> None:
    film = few_shot.adaptation(points=101)
    roles = {f"learner_{i}": "baseline" for i in range(8)}
    for label in roles:
        film.arrays[f"{label}/steps"] = np.arange(200)
        film.arrays[f"{label}/curve"] = np.zeros((3, 200, 101), np.float32)
        film.arrays[f"{label}/mse"] = np.ones((3, 200))
    fig = adaptation_figure(film, roles)
    assert len(fig.frames) == 32
    assert len(fig.to_json()) < 400_000
