"""Requests to a part of the web server, without a network."""

import asyncio
from typing import Any, NamedTuple

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Answer(NamedTuple):
    status: int
    headers: Headers
    text: str


def request(address: str = "/", method: str = "GET", **headers: str) -> Scope:
    """Return an HTTP request; in names of headers, _ stands for -."""
    path, _, query = address.partition("?")
    raw = {"host": "lab.example"} | {k.replace("_", "-"): v for k, v in headers.items()}
    return {
        "type": "http",
        "method": method,
        "scheme": "http",
        "path": path,
        "query_string": query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in raw.items()],
        "client": ("127.0.0.1", 1),
    }


def socket(address: str = "/_stcore/stream", **headers: str) -> Scope:
    return {**request(address, **headers), "type": "websocket", "scheme": "ws"}


def ask(app: ASGIApp, scope: Scope) -> Answer:
    """Return the answer to a request."""
    sent = list[Message]()

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Answer(sent[0]["status"], Headers(scope=sent[0]), body.decode())


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer every request, as Streamlit does."""
    headers: list[Any] = [(b"content-type", b"text/html")]
    status = 404 if "missing" in scope["path"] else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"the page"})


def connect(app: ASGIApp, scope: Scope) -> str:
    """Return the type of the first message that a socket's browser gets."""
    sent = list[str]()

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message["type"])

    asyncio.run(app(scope, receive, send))
    return sent[0]


async def open_socket(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.accept"})
