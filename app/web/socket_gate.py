"""How many pages one address may have open in the demo, and how much they may ask.

The pages of all addresses are computed in turn, a few at the same time.

All of it is counted in memory: no address is stored or logged.
"""

import asyncio
import collections
import time
from collections.abc import Sequence

from google.protobuf.message import DecodeError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnected
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from app import structured_log
from app.web.address_limits import Address
from app.web.page_turns import PAGES_AT_ONCE, SOON, Turn
from app.web.refusal_page import refusal_page
from app.web.request_gate import refuse_socket
from app.web.requests import cookie, is_page, sender
from app.web.settings import WebSettings
from app.web.visitor_cookie import COOKIE, FORM

ADDRESSES = 20_000  # that are known at the same time
# What a page sends; the others are for whoever develops an app: they tell of its
# repository, empty its caches or end it.
KINDS = frozenset(
    {
        "rerun_script",
        "stop_script",
        "app_heartbeat",
        "file_urls_request",
        "backend_operation_request",
    }
)
END = 256  # bytes; a page's last message is shorter
_SENTENCES = {
    "sockets": "The lab is full: as many pages are open as it can serve; try again in "
    "a few minutes.",
    "sockets_per_address": "Too many pages of the lab are open at your address; close "
    "some and try again.",
    "visitors_per_hour": "Too many browsers have come from your address in the last "
    "hour; try again later.",
}


class SocketGate:
    """Refuses sockets over the limits; slows down whoever sends too many messages."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        self.app, self.settings = app, settings
        self.open = 0
        self.slots = asyncio.Semaphore(PAGES_AT_ONCE)
        self.addresses = collections.OrderedDict[str, Address]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        if scope["type"] == "websocket":
            await self._serve_socket(scope, receive, send)
            return
        reason = ""
        if is_page(scope, self.settings.base):
            reason = self._find_reason(self._address(scope))
        if not reason:
            await self.app(scope, receive, send)
            return
        structured_log.count("refused", reason)
        page = refusal_page(503, "Please wait", _SENTENCES[reason])
        page.headers["Retry-After"] = "60"
        await page(scope, receive, send)

    async def _serve_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        address = self._address(scope)
        reason = self._find_reason(address) or self._find_visitor_reason(address, scope)
        if reason:
            structured_log.count("refused", reason)
            await refuse_socket(receive, send)
            return
        _cap_collected_bytes(receive, self.settings.message)
        address.open += 1
        self.open += 1
        turns = self._make_turns(address)
        try:
            incoming = self._limit(receive, send, address, turns)
            await self.app(scope, incoming, _watch(send, turns))
        except WebSocketDisconnected:
            # Streamlit takes a lost connection for a wrong message and closes it again.
            structured_log.count("lost", "socket")
        finally:
            for turn in turns:
                turn.leave()
            address.open -= 1
            self.open -= 1

    def _make_turns(self, address: Address) -> tuple[Turn, ...]:
        return Turn(address.slots), Turn(self.slots, SOON)

    def _address(self, scope: Scope) -> Address:
        name = sender(scope, self.settings.proxies)
        found = self.addresses.pop(name, None)
        found = found or Address(
            self.settings.messages_per_second, self.settings.pages_at_once
        )
        self.addresses[name] = found
        if len(self.addresses) > ADDRESSES:
            self._forget_addresses()
        return found

    def _forget_addresses(self) -> None:
        """Forget who is idle; where that is not enough, also who has no page open."""
        now = time.monotonic()
        for name, each in list(self.addresses.items()):
            if each.is_idle(now) or (
                not each.open and len(self.addresses) > ADDRESSES // 2
            ):
                del self.addresses[name]

    def _find_reason(self, address: Address) -> str:
        if self.open >= self.settings.sockets:
            return "sockets"
        is_over = address.open >= self.settings.sockets_per_address
        return "sockets_per_address" if is_over else ""

    def _find_visitor_reason(self, address: Address, scope: Scope) -> str:
        """Note who comes; return why they may not."""
        now = time.monotonic()
        address.forget_visitors(now)
        held = cookie(scope, COOKIE)
        # Without a cookie each page is a visitor, as each may make a workspace.
        visitor = hash(held) if FORM.fullmatch(held) else time.monotonic_ns()
        if visitor in address.visitors:
            return ""
        if len(address.visitors) >= self.settings.visitors_per_hour:
            return "visitors_per_hour"
        address.visitors[visitor] = now
        return ""

    def _limit(
        self, receive: Receive, send: Send, address: Address, turns: Sequence[Turn]
    ) -> Receive:
        async def receive_in_turn() -> Message:
            while True:
                message = await receive()
                if message["type"] != "websocket.receive":
                    return message
                kind, code = self._judge(message)
                if code:
                    structured_log.count("refused", "message")
                    await send({"type": "websocket.close", "code": code})
                    return {"type": "websocket.disconnect", "code": code}
                # While it waits, nothing more is read from this socket.
                await asyncio.sleep(address.wait(time.monotonic()))
                if kind == "rerun_script":
                    for turn in turns:
                        await turn.begin()
                if kind in KINDS:
                    return message
                structured_log.count("refused", "message")

        return receive_in_turn

    def _judge(self, message: Message) -> tuple[str, int]:
        """Return a message's type, and the code with which it closes its socket."""
        data = message.get("bytes")
        if data is None:
            return "", 1003  # Streamlit sends no text
        if len(data) > self.settings.message:
            return "", 1009
        try:
            return BackMsg.FromString(data).WhichOneof("type") or "", 0
        except DecodeError:
            return "", 1002


def _watch(send: Send, turns: Sequence[Turn]) -> Send:
    """Return a way to send that ends a socket's turns with the end of its page."""

    async def send_and_look(message: Message) -> None:
        await send(message)
        data = message.get("bytes")
        if data is not None and len(data) <= END:
            told = ForwardMsg.FromString(data)
            if told.WhichOneof("type") == "script_finished" and (
                told.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN
            ):
                for turn in turns:
                    turn.end()

    return send_and_look


def _cap_collected_bytes(receive: Receive, size: int) -> None:
    """Let the server collect no more of a message than it may have.

    uvicorn collects a message as a whole, up to the size that Streamlit allows for
    figures, before anyone sees it; it offers no other way to say so per connection.
    """
    connection = getattr(getattr(receive, "__self__", None), "conn", None)
    if hasattr(connection, "max_message_size"):
        connection.max_message_size = size
