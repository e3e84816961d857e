"""Figures leave as files, built when they are asked for."""

import plotly.graph_objects as go
import pytest
from streamlit.testing.v1 import AppTest

from app.views.run import exports
from tests.app.views.run.test_run_page import texts


def figure() -> go.Figure:
    line = go.Scatter(y=[1.0, 4.0, 2.0], name="a_curve", uid="adam_tuned:band")
    made = go.Figure(line)
    return made.update_layout(meta={"title": "A title"})


def offered(at: AppTest) -> list[str]:
    return [b.label for b in at.get("download_button") if b.label.isupper()]


def opened(lab: AppTest, key: str) -> AppTest:
    lab.query_params["run"] = key
    at = lab.run()
    assert not at.exception
    return at


def test_a_figure_as_html_needs_no_network() -> None:
    page = exports.render_figure(figure(), "html").decode()
    assert "a_curve" in page
    assert "A title" in page
    assert '<script src="http' not in page
    assert len(page) > 1_000_000  # the library is in it


@pytest.mark.skipif(not exports.can_render(), reason="no Chromium on this machine")
@pytest.mark.parametrize(("kind", "head"), [("svg", b"<svg"), ("png", b"\x89PNG")])
def test_a_figure_as_a_picture(kind: str, head: bytes) -> None:
    made = exports.render_figure(figure(), kind)
    assert made.startswith(head)
    assert kind == "png" or b"A title" in made


def test_every_drawn_figure_is_on_offer(
    lab: AppTest, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "can_render", lambda: True)
    at = opened(lab, key)
    names = at.selectbox(key="export_figure").options
    assert len(names) == len(at.get("bidi_component"))
    assert offered(at) == ["HTML", "SVG", "PNG"]


def test_without_a_browser_html_is_offered_with_the_reason(
    lab: AppTest, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "can_render", lambda: False)
    at = opened(lab, key)
    assert offered(at) == ["HTML"]
    assert exports.NO_BROWSER in texts(at)
