"""The film over examples shows what was seen, and what was believed of the rest."""

import numpy as np

from app.figures.animation import FilmOptions
from app.figures.function_beliefs import beliefs_figure
from tests.figures import few_shot
from tests.figures.few_shot import ROLES


def test_each_frame_shows_the_examples_seen_so_far_and_the_answer_on_them() -> None:
    film = few_shot.beliefs()
    fig = beliefs_figure(film, ROLES, FilmOptions(task=1))
    assert [frame.name for frame in fig.frames] == ["1", "2", "3", "4", "5"]
    for number, frame in enumerate(fig.frames, 1):
        shown = {
            fig.data[at].uid: new
            for at, new in zip(frame.traces, frame.data, strict=True)
        }
        seen = np.isfinite(np.asarray(shown["maml:support"].y, float))
        assert seen.tolist() == [i < number for i in range(5)]
        for label in ROLES:
            wanted = film.arrays[f"{label}/examples/curve"][1, number - 1]
            np.testing.assert_array_equal(shown[f"{label}:now"].y, wanted)
            assert label != "maml" or f"{label}:band" in shown
            assert label == "maml" or f"{label}:band" not in shown


def test_the_band_goes_around_its_ends_and_functions_are_apart() -> None:
    film = few_shot.beliefs()
    fig = beliefs_figure(film, ROLES, FilmOptions(task=0))
    (band,) = [t for t in fig.data if t.uid == "maml:band"]
    high = film.arrays["maml/examples/high"][0, -1]
    np.testing.assert_array_equal(band.y[: len(high)], high)
    (drawn,) = [t for t in fig.data if t.uid == "maml:samples"]
    assert int(np.isnan(drawn.y).sum()) == film.arrays["maml/examples/samples"].shape[2]


def test_who_only_predicts_values_has_a_band_of_constant_width() -> None:
    film = few_shot.beliefs()
    fig = beliefs_figure(film, ROLES, FilmOptions(spreads={"protonet": 2.0}))
    (band,) = [t for t in fig.data if t.uid == "protonet:band"]
    high, low = np.split(np.asarray(band.y), 2)
    np.testing.assert_allclose(high - low[::-1], 2 * 1.6449 * 2.0, rtol=1e-4)
    (curve,) = [t for t in fig.data if t.uid == "protonet:now"]
    np.testing.assert_allclose((high + low[::-1]) / 2, curve.y, atol=1e-5)


def test_where_a_learner_was_not_asked_nothing_is_drawn_and_it_says_so() -> None:
    film = few_shot.beliefs()
    film.arrays["protonet/examples/counts"] = np.arange(2, 7)
    first = beliefs_figure(film, ROLES).frames[0]
    told = first.layout.annotations[2].text
    assert told.endswith("not asked")


def test_a_film_of_many_learners_stays_small() -> None:
    film = few_shot.beliefs(points=101)
    roles = {f"learner_{i}": "baseline" for i in range(8)}
    for name in list(film.arrays):
        for label in roles:
            if name.startswith("maml/") and (label[-1] < "4" or "samples" not in name):
                film.arrays[name.replace("maml", label)] = film.arrays[name]
    assert len(beliefs_figure(film, roles).to_json()) < 500_000
