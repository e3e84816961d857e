"""Files with a version stay in caches, and the first pages announce the charts."""

import asyncio

import pytest
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send

from app.web import file_hints
from app.widgets import live_plot


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

    await file_hints.FileHints(answer)(scope, receive, send)
    return Headers(scope=sent[0])
