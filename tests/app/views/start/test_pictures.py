"""The pictures of Start show what was recorded."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from app.client import recorded_examples
from app.client.client import Run
from app.views.start import film, thumbnails
from app.widgets.svg_picture import DARK, LIGHT, Picture, picture_html
from engine.contract import kinds
from tests.app.conftest import ROOT

SVG = "{http://www.w3.org/2000/svg}"


def recorded(kind: str) -> Run:
    return recorded_examples.read_recorded(ROOT / f"app/recorded/{kind}.zip")


def elements(picture: Picture, name: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(picture.svg).iter(f"{SVG}{name}"))


def places(line: ElementTree.Element) -> np.ndarray:
    return np.array([p.split(",") for p in line.attrib["points"].split()], dtype=float)


@pytest.fixture(scope="module")
def panels() -> dict[str, Picture]:
    run = recorded("few_shot")
    held = run.film("film")
    assert held is not None
    return film.adaptation_film(held, run.roles, 1, LIGHT)


def test_the_film_ends_on_what_a_learner_answers_last(
    panels: dict[str, Picture],
) -> None:
    run = recorded("few_shot")
    arrays = run.films["film"].arrays
    assert list(panels) == list(run.roles)
    for label, picture in panels.items():
        truth, *frames = map(places, elements(picture, "polyline"))
        last = arrays[f"{label}/curve"][1, -1, ::2]
        # Heights in the picture are an affine map of the values, the truth's too.
        slope, shift = np.polyfit(arrays["truth"][1], truth[:, 1], 1)
        inside = np.abs(frames[-1][:, 1] - np.clip(frames[-1][:, 1], 22, 172)) < 0.1
        assert inside.mean() > 0.9
        assert np.allclose(frames[-1][:, 1], slope * last + shift, atol=0.2)


def test_the_film_is_short_and_each_moment_has_one_frame(
    panels: dict[str, Picture],
) -> None:
    for picture in panels.values():
        delays = [
            float(re.findall(r"delay:([\d.]+)s", frame.attrib["style"])[0])
            for frame in elements(picture, "g")
        ]
        waits = np.diff(delays)
        assert waits[0] == pytest.approx(film.HOLD)
        assert np.allclose(waits[1:], film.PACE)
        # What moves longer than five seconds needs a control to stop it.
        assert delays[-1] < 5
        assert "prefers-reduced-motion" in picture.svg
        assert f"animation:now {film.PACE}s" in picture.svg
        assert f"animation-duration:{film.HOLD}s" in picture.svg


@pytest.mark.parametrize("kind", list(kinds.KINDS))
def test_a_thumbnail_holds_the_recorded_curves(kind: str) -> None:
    run = recorded(kind)
    picture = thumbnails.curves(run, DARK)
    assert picture is not None
    _, *lines = map(places, elements(picture, "polyline"))
    assert len(lines) == len(run.roles)
    assert all(line.min() >= 0 for line in lines)
    assert max(line[:, 0].max() for line in lines) <= thumbnails.SIZE[0]
    assert max(line[:, 1].max() for line in lines) <= thumbnails.SIZE[1]
    # In each of them less is better, and the chosen learner, drawn last, gets better.
    assert lines[-1][0, 1] < lines[-1][-1, 1]


def test_every_kind_has_a_symbol_of_its_own() -> None:
    drawn = {kind: thumbnails.symbol(kind, LIGHT).svg for kind in kinds.KINDS}
    assert len(set(drawn.values())) == len(kinds.KINDS)
    for svg in drawn.values():
        assert ElementTree.fromstring(svg) is not None
    assert thumbnails.symbol("unknown", LIGHT).alt == ""


def test_a_text_alternative_cannot_break_out_of_its_picture() -> None:
    made = picture_html(Picture("<svg/>", '"><script>'), "x")
    assert "<script>" not in made
