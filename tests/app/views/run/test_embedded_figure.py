"""A frame in another page shows one figure of a run, and QR codes show short links."""

import html
import io
from pathlib import Path

import pytest
import segno
from PIL import Image
from streamlit.testing.v1 import AppTest

from app.client import client, recorded_examples
from app.views.run.reproduce import qr_code, share_link
from app.widgets import demo_notice, page_frame
from tests.app.views.run.test_run_page import charts, texts

BASE = "https://lab.example.org/lab"


@pytest.fixture
def framed(lab: AppTest, key: str, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(page_frame, "is_figure_alone", lambda: True)
    lab.query_params["run"] = key
    return lab


def test_a_frame_shows_one_figure_with_title_call_and_link(
    framed: AppTest, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_notice, "draw_notice", pytest.fail)
    framed.query_params["show"] = "loss"
    at = framed.run()
    assert not at.exception
    assert charts(at) == 1 and not at.sidebar.children
    line = next(e.proto.body for e in at.get("html") if "embedded-line" in e.proto.body)
    verdict = html.escape(client.summary(key)["headline"])  # type: ignore[index]
    assert "First" in line and verdict in line
    assert f"run={key}" in line and 'target="_blank"' in line


def test_a_figure_or_a_run_that_is_not_there_is_one_sentence(
    framed: AppTest, key: str
) -> None:
    framed.query_params["show"] = "<b>nothing</b>"
    at = framed.run()
    assert charts(at) == 0
    assert "no figure" in texts(at) and "film" in texts(at) and "loss" in texts(at)
    framed.query_params["run"] = "0" * 64
    assert "There is no run with this id" in texts(framed.run())


def test_the_code_of_a_frame_holds_a_hostile_title_as_text(
    home: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_frame, "lab_address", lambda: BASE)
    code = share_link.embed_code(client.run(key), '"><script>', "loss")
    assert f'src="{BASE}?run={key}&amp;show=loss&amp;embed=true"' in code
    assert code.count("<") == 2 and 'title="&quot;&gt;&lt;script&gt;"' in code


def test_a_qr_code_holds_the_link_that_is_written_below_it(
    home: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_frame, "lab_address", lambda: BASE)
    link = share_link.short_link(client.run(key))
    assert link == f"{BASE}?run={key}"
    svg = qr_code.qr_svg(link)
    assert svg.startswith("<svg") and 'viewBox="0 0 ' in svg
    out = io.BytesIO()
    segno.make(link, error="l", micro=False).save(out, kind="png", border=4)
    assert f'viewBox="0 0 {Image.open(out).width} ' in svg


def test_a_link_with_a_recorded_example_opens_it(
    lab: AppTest, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.views.run import form_and_result

    example = client.run(key)
    client.delete(key)
    shown = list[str]()
    monkeypatch.setattr(
        recorded_examples, "find_recorded", lambda k: example if k == key else None
    )
    monkeypatch.setattr(recorded_examples, "recorded_run", lambda kind="": example)
    show = form_and_result.run_to_show

    def remember(key: str | None) -> client.Run | None:
        run = show(key)
        shown.extend([run.key] if run else [])
        return run

    monkeypatch.setattr(form_and_result, "run_to_show", remember)
    lab.query_params["run"] = key
    at = lab.run()
    assert "There is no run" not in texts(at)
    assert shown and set(shown) == {key}
