"""The demo answers what its pages ask for, and nothing else."""

import re
from pathlib import Path

import pytest

from app.web.request_gate import QUERY, STREAM, RequestGate
from app.web.requests import PAGES
from app.web.settings import read_settings
from tests.app.web.asgi import Answer, ask, connect, open_socket, page, request, socket

ROOT = Path(__file__).resolve().parents[3]
SETTINGS = read_settings()._replace(is_demo=True)
UPLOAD = "/_stcore/upload_file/0a1b-2c/3d4e-5f"


def answer(
    address: str, method: str = "GET", base: str = "", uploads: int = 0
) -> Answer:
    settings = SETTINGS._replace(base=base, uploads=uploads)
    return ask(RequestGate(page, settings), request(address, method))


def test_every_page_of_the_navigation_is_known() -> None:
    sources = [ROOT / "app/navigation.py", ROOT / "app/old_addresses.py"]
    text = "".join(source.read_text(encoding="utf-8") for source in sources)
    named = set(re.findall(r'url_path="(\w+)"', text))
    assert len(named) >= 8 and named <= PAGES


@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/lab?run=1",
        "/runs/",
        "/favicon.png",
        "/static/js/index.js",
        "/media/0f.png",
        "/component/app.plotly/plotly.min.js?v=1",
        "/_stcore/health",
        "/_stcore/host-config",
        "/_stcore/bidi-components/x/y.js",
        "/healthz",
    ],
)
def test_what_a_page_needs_is_answered(address: str) -> None:
    assert answer(address).text == "the page"
    assert answer(f"/base{address}", base="/base").text == "the page"


@pytest.mark.parametrize(
    ("address", "method", "status"),
    [
        ("/wp-login.php", "GET", 404),
        ("/_stcore/metrics", "GET", 404),
        ("/_stcore/agent/interact", "POST", 404),
        ("/auth/login", "GET", 404),
        ("/lab/../../etc/passwd", "GET", 404),
        ("/lab", "POST", 405),
        ("/static/js/index.js", "DELETE", 405),
        ("/lab?" + "x" * (QUERY + 1), "GET", 414),
        (UPLOAD, "PUT", 405),
        (UPLOAD, "POST", 405),
    ],
)
def test_all_else_is_refused_with_a_sentence(
    address: str, method: str, status: int
) -> None:
    refused = answer(address, method)
    assert refused.status == status and "</p>" in refused.text


def test_uploads_are_answered_where_they_are_on_up_to_their_number() -> None:
    gate = RequestGate(page, SETTINGS._replace(uploads=2))
    statuses = [ask(gate, request(UPLOAD, "PUT")).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert ask(gate, request(UPLOAD.replace("0a", "0b"), "PUT")).status == 200
    assert ask(gate, request(UPLOAD, "DELETE")).status == 200
    assert ask(gate, request(UPLOAD, "POST")).status == 405


def test_only_the_stream_is_a_socket() -> None:
    gate = RequestGate(open_socket, SETTINGS)
    assert [connect(gate, socket(path)) for path in (STREAM, "/other")] == [
        "websocket.accept",
        "websocket.close",
    ]


def test_signing_in_is_answered_where_it_is_configured() -> None:
    gate = RequestGate(page, SETTINGS, has_sign_in=True)
    assert ask(gate, request("/oauth2callback")).status == 200
