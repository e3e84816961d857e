"""All of a run can be taken along: link, files, figures, report, notebook, Python."""

import ast
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
import typer
from streamlit.testing.v1 import AppTest

from app import share_links
from app.charts import run_figures
from app.client import client, files
from app.report.__main__ import find_key, write_report
from app.report.page import list_charts, make_report
from app.views.run.reproduce import figure_choice, run_files
from app.views.run.reproduce.share_link import COPIED
from app.web.settings import EMBED
from app.widgets import figure_files
from engine.store import NoRun
from tests.app.views.run.test_run_page import charts, texts

HOSTILE = "</script><img src=x onerror=alert(1)> & `rm`"


def figure() -> go.Figure:
    line = go.Scatter(y=[1.0, 4.0, 2.0], name="a_curve", uid="adam_tuned:band")
    made = go.Figure(line)
    return made.update_layout(meta={"title": "A title"}, yaxis_type="log")


def opened(lab: AppTest, key: str, tab: str = "") -> AppTest:
    lab.query_params["run"] = key
    lab.session_state["exports"] = True  # the menu is open
    if tab:
        lab.query_params["tab"] = tab
    at = lab.run()
    assert not at.exception
    return at


def downloads(at: AppTest) -> dict[str, str]:
    """Return the labels of all downloads by key."""
    return {str(b.key): b.label for b in at.get("download_button")}


def assert_everything_leaves(run: client.Run) -> None:
    """Export all figures of a run, and its report."""
    made = figure_choice.all_figures(run)
    parts = run_figures.page_parts(run)
    assert {"Main charts", "Per task", "Cost"} <= set(parts)
    assert len(made) >= len(parts)
    for each in made.values():
        printed = figure_files.print_figure(each, "Of a run")
        assert printed.layout.title.text
        assert printed.layout.title.subtitle.text == "Of a run"
        for axis in (*printed.select_xaxes(), *printed.select_yaxes()):
            assert axis.type != "log" or "log scale" in axis.title.text
    page = make_report(run, {}).decode()
    drawn = sum(map(len, list_charts(run).values()))
    assert page.count("data-chart=") == drawn > 4
    assert len(page) < 6_000_000
    assert not re.search(r"(src|href)=[\"']?(http|//)", page)


def test_every_figure_and_the_report_leave(home: Path, key: str) -> None:
    assert_everything_leaves(client.run(key))


def test_the_command_writes_a_report_in_which_a_hostile_title_does_nothing(
    home: Path, key: str, tmp_path: Path
) -> None:
    client.rename(key, HOSTILE)
    out = tmp_path / "report.html"
    write_report(key[:8], out)
    page = out.read_text()
    assert "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt; &amp; `rm`" in page
    assert "<img" not in page
    # Were it not escaped, the policy would still let only our two scripts run.
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy and "'unsafe-inline'" not in policy[1].split("style-src")[0]
    with pytest.raises(typer.Exit):
        write_report(key[:8], out)  # it is there
    with pytest.raises(NoRun):
        find_key("0" * 8)


def test_a_figure_as_html_needs_no_network() -> None:
    page = figure_files.render_figure(figure(), "html", "Run 1").decode()
    assert "a_curve" in page
    assert "A title" in page and "Run 1" in page and "log scale" in page
    assert '<script src="http' not in page
    assert len(page) > 1_000_000  # the library is in it


def test_all_figures_share_one_library() -> None:
    every = {"First": figure(), "Second": figure()}
    data = figure_files.zip_figures(every, "html", "my_run_1234", "Run 1")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert set(archive.namelist()) == {
            "my_run_1234_01_first.html",
            "my_run_1234_02_second.html",
            "plotly.min.js",
        }


@pytest.mark.skipif(not figure_files.can_render(), reason="no Chromium here")
def test_all_figures_as_pictures() -> None:
    data = figure_files.zip_figures({"First": figure()}, "svg", "my_run", "Run 1")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        made = archive.read("my_run_01_first.svg")
    assert made.startswith(b"<svg") and b"A title" in made and b"Run 1" in made


def test_every_drawn_figure_is_on_offer_and_named_after_the_run(
    lab: AppTest, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure_files, "can_render", lambda: True)
    at = opened(lab, key)
    names = at.selectbox(key="export.figure").options
    assert len(names) == charts(at)
    found = downloads(at)
    assert [found[f"export.figure.{kind}"] for kind in ("html", "svg", "png")] == [
        "HTML",
        "SVG",
        "PNG",
    ]
    stem = run_files.file_stem(client.run(key), {})
    assert stem == f"first_{key[:8]}"


def test_figures_of_tabs_that_were_never_opened_can_be_chosen(
    lab: AppTest, key: str
) -> None:
    at = opened(lab, key)
    at.selectbox(key="export.part").set_value("Training").run()
    assert not at.exception
    assert "Meta-training" in at.selectbox(key="export.figure").options


def test_without_a_browser_html_is_offered_with_the_reason(
    lab: AppTest, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(figure_files, "can_render", lambda: False)
    at = opened(lab, key)
    assert "export.figure.html" in downloads(at)
    assert "export.figure.svg" not in downloads(at)
    assert figure_files.NO_BROWSER in texts(at)


def component(element: Any) -> str:
    return str(element.proto.component_name)


def test_the_header_copies_a_link_that_holds_the_experiment(
    lab: AppTest, key: str
) -> None:
    at = opened(lab, key)
    buttons = [b for b in at.get("bidi_component") if "copy" in component(b)]
    every = [json.loads(button.proto.json) for button in buttons]
    assert [each["label"] for each in every] == ["Copy link", "Copy embed code"]
    assert every[1]["text"].startswith("<iframe src=") and key in every[1]["text"]
    told = every[0]
    assert told["done"] == COPIED and "not its numbers" in COPIED
    packed = re.search(r"x=([^&]*)", told["text"])
    assert packed and client.complete_with_key(share_links.unpack(packed[1]))[1] == key
    assert f"/lab?run={key}" in told["text"]


@pytest.mark.parametrize(
    ("mode", "sites", "told"),
    [
        ("local", "", "Paste it"),
        ("demo", "https://course.example", "Paste it"),
        ("demo", "", "No other site may show this demo"),
    ],
)
def test_who_copies_a_frame_is_told_where_no_site_may_show_it(
    mode: str,
    sites: str,
    told: str,
    lab: AppTest,
    key: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = opened(lab, key)
    monkeypatch.setattr(figure_choice, "is_demo", lambda: mode == "demo")
    monkeypatch.setenv(EMBED, sites)
    buttons = [b for b in at.run().get("bidi_component") if "copy" in component(b)]
    every = [json.loads(button.proto.json) for button in buttons]
    assert told in next(b["done"] for b in every if b["label"] == "Copy embed code")


def test_everything_stands_in_the_tab(lab: AppTest, key: str) -> None:
    at = opened(lab, key, tab="Reproduce")
    found = {k.removeprefix("reproduce.") for k in downloads(at) if "reproduce" in k}
    wanted = {"report.html", "notebook.ipynb", "config.json", "metrics.csv"}
    assert wanted | {"summary.json", "timings.csv", "run.zip"} <= found
    assert {"figure.html", "all.html"} <= found
    said = [block.value for block in at.get("code")]
    copied = [str(each.proto) for each in at.get("bidi_component")]
    assert (
        sum(f"/lab?run={key}&x=" in text for text in copied) == 2
    )  # the header's, too
    assert "python -m engine run config.json --out result/" in said
    (script,) = [text for text in said if "import pandas" in text]
    ast.parse(script)
    config = files.export_file(client.run(key), "config.json").decode()
    assert config.strip() in said
