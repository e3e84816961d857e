"""The web server around the pages: a warm start, and files that browsers keep.

The first page needs two seconds for its imports, for the recorded example and for its
figures, once in a process. The server spends them before it answers: done while the
browser loads Streamlit's scripts from the same process, they would delay both.
"""

import asyncio
import threading
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.runtime import get_instance

PATIENCE = 10.0  # seconds
_YEAR = "public, max-age=31536000, immutable"


class LongCache:
    """Lets browsers keep every file whose address holds its version, as `?v=7.1.0`.

    A script that stays in the browser's cache stays there compiled.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; the header is changed on the way out."""
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
        is_file = scope["type"] == "http" and scope["path"].endswith(".js")
        if not (is_file and "v" in query):
            await self.app(scope, receive, send)
            return

        async def send_cached(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message)["Cache-Control"] = _YEAR
            await send(message)

        await self.app(scope, receive, send_cached)


@asynccontextmanager
async def run_beside(app: st.App) -> AsyncIterator[None]:
    """Visit the first page once before anyone is answered, then open a browser."""
    # What this visit cannot import or read is shown to the first real visitor.
    visit = asyncio.create_task(get_instance().does_script_run_without_error())
    await asyncio.wait({visit}, timeout=PATIENCE)
    if not st.get_option("server.headless"):
        # Streamlit itself does so for plain scripts only.
        threading.Thread(target=_open_browser, daemon=True).start()
    yield
    visit.cancel()


def _open_browser() -> None:
    path = st.get_option("server.baseUrlPath").strip("/")
    webbrowser.open(f"http://localhost:{st.get_option('server.port')}/{path}")
