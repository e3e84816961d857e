"""The web server around the pages: a warm start, and hints to browsers.

The first page needs two seconds for its imports, for the recorded example and for its
figures, once in a process. The server spends them before it answers: done while the
browser loads Streamlit's scripts from the same process, they would delay both.
"""

import asyncio
import sys
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import get_instance
from streamlit.web.server import server_util

PATIENCE = 10.0  # seconds
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
    if scope["path"].endswith("/"):
        # Not imported here: a missing package must not keep the page from saying so.
        plots = sys.modules.get("app.widgets.live_plot")
        library = getattr(plots, "BASIC_LIBRARY", "")
        return {"Link": f"<{library}>; rel=preload; as=script"} if library else {}
    query = parse_qs(scope["query_string"].decode("latin-1"))
    kept = scope["path"].endswith(".js") and "v" in query
    return {"Cache-Control": YEAR} if kept else {}


@asynccontextmanager
async def run_beside(app: st.App) -> AsyncIterator[None]:
    """Visit the first page once before anyone is answered, then open a browser."""
    # What this visit cannot import or read is shown to the first real visitor.
    visit = asyncio.create_task(get_instance().does_script_run_without_error())
    await asyncio.wait({visit}, timeout=PATIENCE)
    if not st.get_option("server.headless"):
        # Streamlit itself does so for plain scripts only.
        threading.Thread(target=open_browser, daemon=True).start()
    yield
    visit.cancel()


def open_browser() -> None:
    """Open the app where it listens; on this machine if it listens everywhere."""
    address = st.get_option("server.address") or "localhost"
    host = server_util.get_display_address(address)
    webbrowser.open(server_util.get_url(host))
