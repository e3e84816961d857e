"""The web server visits the first page before anyone else, and files stay in caches."""

import asyncio
import re
from pathlib import Path

import pytest
import streamlit as st
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.runtime import SessionClient
from streamlit.web.server.app_discovery import discover_asgi_app

from app import web_server
from app.widgets import live_plot

ROOT = Path(__file__).resolve().parents[2]


def test_the_entry_point_is_found_by_streamlit_run() -> None:
    found = discover_asgi_app(ROOT / "app/main.py")
    assert (found.is_asgi_app, found.import_string) == (True, "main:app")


@pytest.mark.parametrize(
    ("address", "is_kept"),
    [
        ("/plotly.min.js?v=7.1.0", True),
        ("/plotly.min.js", False),  # it may be another one tomorrow
        ("/page?v=1", False),
        ("/missing.js?v=7.1.0", False),
    ],
)
def test_only_files_with_a_version_are_kept_by_browsers(
    address: str, is_kept: bool
) -> None:
    headers = asyncio.run(received_headers(address))
    assert ("immutable" in headers["cache-control"]) is is_kept
    assert "link" not in headers


@pytest.mark.parametrize(("page", "urgency"), [("/", "prefetch"), ("/lab", "preload")])
def test_the_first_pages_announce_the_chart_library(page: str, urgency: str) -> None:
    link = asyncio.run(received_headers(page))["link"]
    assert link == f"<{live_plot.BASIC_LIBRARY}>; rel={urgency}; as=script"


async def received_headers(address: str) -> Headers:
    """Return the headers with which an answer arrives."""
    path, _, query = address.partition("?")
    scope = {"type": "http", "path": path, "query_string": query.encode()}
    sent = list[Message]()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        status = 404 if "missing" in path else 200
        headers = [(b"cache-control", b"public")]
        start = {"type": "http.response.start", "status": status, "headers": headers}
        await send(start)
        await send({"type": "http.response.body", "body": b"x"})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    await web_server.FileHints(answer)(scope, receive, send)
    return Headers(scope=sent[0])


class FakeRuntime:
    """A runtime whose pages take a while."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.asked = seconds, list[str]()
        self.clients = dict[str, SessionClient]()

    def connect_session(self, client: SessionClient, user_info: object) -> str:
        self.clients[name := f"session {len(self.asked)}"] = client
        return name

    def handle_backmsg(self, session: str, message: BackMsg) -> None:
        self.asked.append(message.rerun_script.page_name)
        client = self.clients[session]
        client.write_forward_msg(ForwardMsg())  # a page sends more than its end
        ended = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)
        later = asyncio.get_running_loop().call_later
        later(self.seconds, client.write_forward_msg, ended)

    def close_session(self, session: str) -> None:
        del self.clients[session]


@pytest.mark.parametrize(
    ("seconds", "visited"), [(0.02, ["start", "lab"]), (5.0, ["start"])]
)
def test_the_server_waits_for_the_first_visits_but_not_forever(
    monkeypatch: pytest.MonkeyPatch, seconds: float, visited: list[str]
) -> None:
    runtime = FakeRuntime(seconds)
    monkeypatch.setattr(web_server, "get_instance", lambda: runtime)
    monkeypatch.setattr(web_server, "PATIENCE", 0.1)
    monkeypatch.setattr(st, "get_option", {"server.headless": True}.get)
    monkeypatch.delattr(web_server, "open_browser")

    async def start() -> list[str]:
        async with web_server.run_beside(None):  # type: ignore[arg-type]
            return list(runtime.asked)

    assert asyncio.run(start()) == visited
    assert not runtime.clients


def test_a_browser_is_opened_where_the_app_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = list[str]()
    monkeypatch.setattr(web_server.webbrowser, "open", opened.append)
    monkeypatch.setattr(st, "get_option", {"server.address": "127.0.0.1"}.get)
    web_server.open_browser()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/?", opened[0])
