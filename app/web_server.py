"""The web server around the pages: a warm start, and hints to browsers.

The Lab needs two seconds for its imports, for the recorded example and for its figures,
once in a process; Start needs less. The server spends them before it answers: while a
browser loads Streamlit's scripts from the same process, they would delay both.
"""

import asyncio
import contextlib
import importlib
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import get_instance
from streamlit.runtime.runtime import Runtime, SessionClient
from streamlit.web.server import server_util

PATIENCE = 10.0  # seconds
PAGES = ("start", "lab")  # that are visited before anyone else does
YEAR = "public, max-age=31536000, immutable"


class FileHints:
    """Tells browsers which files to keep, and which one the first page will need.

    They keep every script whose address holds its version, as `?v=7.1.0`, and with it
    its compiled form.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; the header is changed on the way out."""
        headers = _hints(scope) if scope["type"] == "http" else {}
        if not headers:
            await self.app(scope, receive, send)
            return

        async def send_with_hints(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self.app(scope, receive, send_with_hints)


def _hints(scope: Scope) -> dict[str, str]:
    """Return the headers that the answer to a request gets besides its own."""
    if scope["path"].endswith(("/", "/lab")):
        # Not imported here: a missing package must not keep the page from saying so.
        plots = sys.modules.get("app.widgets.live_plot")
        library = getattr(plots, "BASIC_LIBRARY", "")
        # Start has no chart itself: from there it is fetched when nothing else is.
        urgency = "preload" if scope["path"].endswith("/lab") else "prefetch"
        return {"Link": f"<{library}>; rel={urgency}; as=script"} if library else {}
    query = parse_qs(scope["query_string"].decode("latin-1"))
    kept = scope["path"].endswith(".js") and "v" in query
    return {"Cache-Control": YEAR} if kept else {}


@asynccontextmanager
async def run_beside(app: st.App) -> AsyncIterator[None]:
    """Visit Start and the Lab before anyone is answered, then open a browser."""
    visits = asyncio.create_task(_visit_pages(get_instance()))
    await asyncio.wait({visits}, timeout=PATIENCE)
    if not st.get_option("server.headless"):
        # Streamlit itself does so for plain scripts only.
        threading.Thread(target=open_browser, daemon=True).start()
    yield
    visits.cancel()


class _Visitor(SessionClient):
    """A client that only waits for the end of a page's script.

    What a page cannot import or read is shown to its first real visitor.
    """

    def __init__(self) -> None:
        self.has_finished = asyncio.Event()

    def write_forward_msg(self, msg: ForwardMsg) -> None:
        """Take a message of the page."""
        if msg.WhichOneof("type") == "script_finished":
            self.has_finished.set()


async def _visit_pages(runtime: Runtime) -> None:
    for page in PAGES:
        visitor = _Visitor()
        session = runtime.connect_session(visitor, user_info={})
        try:
            asked = BackMsg()
            asked.rerun_script.page_name = page
            runtime.handle_backmsg(session, asked)
            await visitor.has_finished.wait()
        finally:
            runtime.close_session(session)
    # A figure that is drawn while another thread imports pandas would fail.
    with contextlib.suppress(ModuleNotFoundError):
        await asyncio.to_thread(importlib.import_module, "pandas")


def open_browser() -> None:
    """Open the app where it listens; on this machine if it listens everywhere."""
    address = st.get_option("server.address") or "localhost"
    host = server_util.get_display_address(address)
    webbrowser.open(server_util.get_url(host))
