"""A warm start: the first pages are visited before anyone else is answered.

The Lab needs two seconds for its imports, for the recorded example and for its figures,
once in a process; Start needs less. The server spends them before it answers: while a
browser loads Streamlit's scripts from the same process, they would delay both.
"""

import asyncio
import contextlib
import importlib
import threading
import webbrowser
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import streamlit as st
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.runtime import get_instance
from streamlit.runtime.runtime import Runtime, SessionClient
from streamlit.web.server import server_util

from engine.executors.demo import is_demo

PATIENCE = 10.0  # seconds
PAGES = ("start", "lab")  # that are visited before anyone else does
DEMO_PAGES = ("claims", "learn", "runs")


@asynccontextmanager
async def warm_up() -> AsyncIterator[None]:
    """Visit Start and the Lab before anyone is answered, then open a browser.

    The demo's other pages are visited, too.
    """
    # However long it takes: a figure that is drawn while another thread imports pandas
    # fails.
    with contextlib.suppress(ModuleNotFoundError):
        await asyncio.to_thread(importlib.import_module, "pandas")
    pages = (*PAGES, *DEMO_PAGES) if is_demo() else PAGES
    visits = asyncio.create_task(_visit_pages(get_instance(), pages))
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


async def _visit_pages(runtime: Runtime, pages: Sequence[str]) -> None:
    for page in pages:
        visitor = _Visitor()
        session = runtime.connect_session(visitor, user_info={})
        try:
            asked = BackMsg()
            asked.rerun_script.page_name = page
            runtime.handle_backmsg(session, asked)
            await visitor.has_finished.wait()
        finally:
            runtime.close_session(session)


def open_browser() -> None:
    """Open the app where it listens; on this machine if it listens everywhere."""
    address = st.get_option("server.address") or "localhost"
    host = server_util.get_display_address(address)
    webbrowser.open(server_util.get_url(host))
