"""The web server visits the first pages before anyone else."""

import asyncio
import re
import time
from pathlib import Path

import pytest
import streamlit as st
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime.runtime import SessionClient
from streamlit.web.server.app_discovery import discover_asgi_app

from app.web import warm_start

ROOT = Path(__file__).resolve().parents[3]


def test_the_entry_point_is_found_by_streamlit_run() -> None:
    found = discover_asgi_app(ROOT / "app/main.py")
    assert (found.is_asgi_app, found.import_string) == (True, "main:app")


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
    monkeypatch.setattr(warm_start, "get_instance", lambda: runtime)
    monkeypatch.setattr(warm_start, "PATIENCE", 0.1)
    monkeypatch.setattr(st, "get_option", {"server.headless": True}.get)
    monkeypatch.delattr(warm_start, "open_browser")

    async def start() -> list[str]:
        async with warm_start.warm_up():
            return list(runtime.asked)

    assert asyncio.run(start()) == visited
    assert not runtime.clients


def test_no_page_is_answered_while_pandas_is_imported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = list[str]()

    def load(name: str) -> None:
        time.sleep(0.05)
        told.append(name)

    async def visit_nothing(*given: object) -> None:
        told.append("visit")

    monkeypatch.setattr(warm_start, "PATIENCE", 0.01)
    monkeypatch.setattr(warm_start, "get_instance", lambda: None)
    monkeypatch.setattr(warm_start, "_visit_pages", visit_nothing)
    monkeypatch.setattr(warm_start.importlib, "import_module", load)
    monkeypatch.setattr(st, "get_option", {"server.headless": True}.get)

    async def start() -> list[str]:
        async with warm_start.warm_up():
            return list(told)

    assert asyncio.run(start()) == ["pandas", "visit"]


def test_a_browser_is_opened_where_the_app_listens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = list[str]()
    monkeypatch.setattr(warm_start.webbrowser, "open", opened.append)
    monkeypatch.setattr(st, "get_option", {"server.address": "127.0.0.1"}.get)
    warm_start.open_browser()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/?", opened[0])
