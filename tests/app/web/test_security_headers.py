"""Pages of the demo run no script but their own, and no other site frames them."""

import base64
import hashlib
import re

import pytest
from starlette.datastructures import Headers

from app.web.security_headers import SecurityHeaders
from app.web.settings import WebSettings, read_settings
from app.widgets import live_plot, phone_drawer
from tests.app.web.asgi import ask, page, request

LOCAL = read_settings()
DEMO = LOCAL._replace(is_demo=True)


def headers(settings: WebSettings, path: str = "/lab", **given: str) -> Headers:
    return ask(SecurityHeaders(page, settings), request(path, **given)).headers


def policy(settings: WebSettings = DEMO, path: str = "/lab", **given: str) -> str:
    return headers(settings, path, **given).get("content-security-policy", "")


@pytest.mark.parametrize("settings", [LOCAL, DEMO])
def test_every_answer_says_what_costs_nothing(settings: WebSettings) -> None:
    told = headers(settings, "/static/js/missing.js")
    assert told["x-content-type-options"] == "nosniff"
    assert told["referrer-policy"] == "same-origin"  # links hold share tokens
    assert "camera=()" in told["permissions-policy"]


def test_a_local_lab_may_be_framed_and_loads_what_it_likes() -> None:
    assert not policy(LOCAL)


def test_a_script_typed_by_a_visitor_does_not_run() -> None:
    scripts = re.search("script-src ([^;]*);", policy())
    assert scripts and "unsafe" not in scripts[1] and "*" not in scripts[1]


@pytest.mark.parametrize(
    "script", [live_plot.PRELOAD_SCRIPT, phone_drawer.CLOSE_SCRIPT]
)
def test_the_scripts_of_the_lab_itself_run(script: str) -> None:
    digest = hashlib.sha256(script.encode()).digest()
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy()


def test_only_named_sites_frame_the_pages() -> None:
    assert policy().endswith("frame-ancestors 'self'")
    framed = DEMO._replace(embedders=("https://course.example",))
    assert policy(framed).endswith("frame-ancestors 'self' https://course.example")


def test_a_saved_file_runs_nothing_when_it_is_opened() -> None:
    assert "sandbox;" in policy(path="/media/report.html")


def test_a_host_name_cannot_add_to_the_policy() -> None:
    assert "wss://lab.example" in policy(host="lab.example")
    assert "evil" not in policy(host="lab.example; script-src evil")
