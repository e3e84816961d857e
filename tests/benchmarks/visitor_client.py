"""A browser without a screen: one visitor who speaks Streamlit's own protocol.

It keeps cookies, widget states and cached messages as the browser's script does, so
that the server has the same work with it, and fetches what the page's charts refer to.
It draws nothing.
"""

import asyncio
import http.client
import re
import time
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.benchmarks.visitor_controls import Control, Tabs, control_in

PATIENCE = 60.0  # seconds
WHOLE = ForwardMsg.FINISHED_SUCCESSFULLY
FRAGMENT = ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY
RESOURCE = re.compile(rb'"(figures/[0-9a-f]+\.json)"')


class Answer(NamedTuple):
    """What one click cost.

    Args:
        seconds: Until the script had finished and all charts had their figures.
        socket_bytes: Received over the WebSocket.
        http_bytes: Received over HTTP, compressed.
    """

    seconds: float
    socket_bytes: int
    http_bytes: int


class Visitor:
    """One browser tab with a profile of its own.

    Args:
        url: The app's address.
        watches: Whether it reruns the parts of a page that ask for it.
        host: Its network address, as a proxy would tell it; the demo's limits count by
            it.
    """

    def __init__(
        self, url: str, *, watches: bool = True, host: str = "127.0.0.1"
    ) -> None:
        self.url, self.watches, self.host = url, watches, host
        self.errors: list[str] = []
        self.controls: dict[str, Control] = {}
        self.states: dict[str, WidgetState] = {}
        self.pages: dict[str, str] = {}
        self.page, self.query = "", ""
        self.polls: list[float] = []
        self.received = 0  # bytes over the socket
        self._socket: ClientConnection | None = None
        self._cookies: dict[str, str] = {}
        self._messages: dict[str, tuple[ForwardMsg, int, str]] = {}
        self._resources: dict[str, bytes] = {}
        # After how many full runs the browser drops an unused message; the server says.
        self._runs, self._max_age = 0, 2
        self._seen: set[str] = set()
        self._drawn_fragments: frozenset[str] = frozenset()  # of a run of fragments
        self._tabs = Tabs()
        self._wanted: set[str] = set()
        self._socket_bytes = self._http_bytes = 0
        self._finished: asyncio.Queue[int] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._polling: dict[str, asyncio.Task[None]] = {}
        self._poll_began = 0.0

    async def open(self, path: str) -> Answer:
        """Open a page as its first visit; return what it cost."""
        began = time.perf_counter()
        parts = urlsplit(path)
        self.page, self.query = parts.path.strip("/"), parts.query
        await asyncio.to_thread(self._get, path)
        self._socket = await connect(
            self.url.replace("http", "ws", 1) + "/_stcore/stream",
            subprotocols=["streamlit", self._cookies.get("_streamlit_xsrf", "none")],
            additional_headers=self._headers(),
            origin=self.url,
            max_size=None,
            compression=None,
            open_timeout=PATIENCE,
            ping_interval=None,
        )
        self._tasks.append(asyncio.create_task(self._receive(self._socket)))
        return await self._rerun(began, by_name=True)

    async def go(self, page: str) -> Answer:
        """Click on a page in the navigation."""
        self.page, self.query = page, ""
        self.states.clear()
        self._stop_polling()
        return await self._rerun(time.perf_counter())

    async def set(self, control: Control, state: WidgetState) -> Answer:
        """Change a widget."""
        self.states[control.id] = state
        if control.parameter:
            text = control.in_address(state)
            held = dict(parse_qsl(self.query)) | {control.parameter: text}
            self.query = urlencode(held)
        return await self._rerun(time.perf_counter(), fragment=control.fragment)

    async def close(self) -> None:
        """Close the tab."""
        self._stop_polling()
        for task in self._tasks:
            task.cancel()
        if self._socket is not None:
            await self._socket.close()

    async def _rerun(
        self, began: float, *, fragment: str = "", by_name: bool = False
    ) -> Answer:
        while not self._finished.empty():
            self._finished.get_nowait()
        self._socket_bytes = self._http_bytes = 0
        await self._ask(fragment, by_name=by_name)
        awaited = (WHOLE, FRAGMENT) if fragment else (WHOLE,)
        try:
            async with asyncio.timeout(PATIENCE):
                while await self._finished.get() not in awaited:
                    pass
                await self._fetch_figures()
        except TimeoutError:
            self.errors.append(f"no answer in {PATIENCE:.0f} s")
        return Answer(time.perf_counter() - began, self._socket_bytes, self._http_bytes)

    async def _ask(
        self, fragment: str, *, by_name: bool = False, is_auto: bool = False
    ) -> None:
        asked = BackMsg()
        state = asked.rerun_script
        state.query_string = self.query
        if by_name:
            state.page_name = self.page
        else:
            state.page_script_hash = self.pages.get(self.page, "")
        state.fragment_id, state.is_auto_rerun = fragment, is_auto
        state.widget_states.widgets.extend(self.states.values())
        state.cached_message_hashes.extend(self._messages)
        state.context_info.url = f"{self.url}/{self.page}"
        state.context_info.color_scheme = "light"
        state.context_info.timezone = "UTC"
        if self._socket is None:
            raise RuntimeError("the page is not open")
        try:
            await self._socket.send(asked.SerializeToString())
        except ConnectionClosed:
            self.errors.append("the socket was closed")
            self._finished.put_nowait(WHOLE)
        for entry in self.states.values():  # a click counts once
            if entry.WhichOneof("value") == "trigger_value":
                entry.trigger_value = False

    async def _receive(self, socket: ClientConnection) -> None:
        try:
            async for payload in socket:
                self._socket_bytes += len(payload)
                self.received += len(payload)
                message = ForwardMsg()
                message.ParseFromString(payload)  # type: ignore[arg-type]
                self._take(self._resolved(message))
        except ConnectionClosed:
            pass
        except Exception as error:  # a visitor that fails must not go unseen
            self.errors.append(f"the visitor failed: {error!r}")
        else:
            self.errors.append("the socket was closed")
        self._finished.put_nowait(WHOLE)

    def _resolved(self, message: ForwardMsg) -> ForwardMsg:
        """Return the message that a reference stands for; keep what may be cached."""
        if message.WhichOneof("type") == "ref_hash":
            held = self._messages[message.ref_hash][0]
            held.metadata.CopyFrom(message.metadata)
            message = held
        elif not message.metadata.cacheable:
            return message
        entry = (message, self._runs, message.delta.fragment_id)
        self._messages[message.hash] = entry
        return message

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._take_delta(message.delta, tuple(message.metadata.delta_path))
        elif kind == "new_session":
            # What a run drew that was interrupted is not on the page: a click on it
            # would ask for a fragment that is gone, and get no answer.
            self._seen.clear()
            self._drawn_fragments = frozenset(message.metadata.run.fragment_ids)
            self._max_age = message.new_session.config.max_cached_message_age
        elif kind == "navigation":
            found = message.navigation.app_pages
            self.pages = {page.url_pathname: page.page_script_hash for page in found}
            current = message.navigation.page_script_hash
            names = {code: name for name, code in self.pages.items()}
            self.page = names.get(current, self.page)
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun" and self.watches:
            self._start_polling(
                message.auto_rerun.fragment_id, message.auto_rerun.interval
            )
        elif kind == "stop_auto_rerun":
            self._stop_polling()
        elif kind == "script_finished":
            self._finish(message.script_finished)

    def _take_delta(self, delta: Delta, path: tuple[int, ...]) -> None:
        element = delta.new_element
        what = element.WhichOneof("type")
        if what == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif what == "alert" and element.alert.format == element.alert.ERROR:
            self.errors.append(element.alert.body)
        elif what == "bidi_component":
            # An address per chart, where charts have one.
            found = RESOURCE.findall(element.bidi_component.bytes)
            self._wanted.update(name.decode() for name in found)
        control = control_in(delta) or self._tabs.control_in(delta, path)
        if control is None:
            return
        self._seen.add(control.id)
        self.controls[control.id] = control
        if control.forced is not None or control.id not in self.states:
            state = control.forced or control.initial
            if state is not None:
                self.states[control.id] = state

    def _finish(self, status: int) -> None:
        if status == WHOLE:
            self._runs += 1
            for name, (_, run, _) in list(self._messages.items()):
                if self._runs - run > self._max_age:
                    del self._messages[name]
            self.controls = {i: c for i, c in self.controls.items() if i in self._seen}
            self.states = {i: s for i, s in self.states.items() if i in self._seen}
        if status == FRAGMENT:
            self.controls = {
                name: control
                for name, control in self.controls.items()
                if name in self._seen or control.fragment not in self._drawn_fragments
            }
        if status in (WHOLE, FRAGMENT) and self._poll_began:
            self.polls.append(time.perf_counter() - self._poll_began)
            self._poll_began = 0.0
        self._finished.put_nowait(status)

    def _start_polling(self, fragment: str, interval: float) -> None:
        if (held := self._polling.pop(fragment, None)) is not None:
            held.cancel()

        async def poll() -> None:
            while True:
                await asyncio.sleep(interval)
                self._poll_began = time.perf_counter()
                await self._ask(fragment, is_auto=True)

        self._polling[fragment] = asyncio.create_task(poll())

    def _stop_polling(self) -> None:
        for task in self._polling.values():
            task.cancel()
        self._polling.clear()

    async def _fetch_figures(self) -> None:
        """Fetch the figures that the charts refer to and the browser does not hold."""
        while missing := [n for n in self._wanted if n not in self._resources]:
            for name in missing:
                self._resources[name] = b""
                await asyncio.to_thread(self._get, f"/{name}")
        self._wanted.clear()

    def _headers(self) -> dict[str, str]:
        held = "; ".join(f"{name}={text}" for name, text in self._cookies.items())
        return {"X-Forwarded-For": self.host} | ({"Cookie": held} if held else {})

    def _get(self, path: str) -> None:
        address = urlsplit(self.url)
        line = http.client.HTTPConnection(address.netloc, timeout=PATIENCE)
        try:
            headers = {"Accept-Encoding": "gzip"} | self._headers()
            line.request("GET", path, headers=headers)
            answer = line.getresponse()
            self._http_bytes += len(answer.read())
            if answer.status != 200:
                self.errors.append(f"{answer.status} for {path}")
            for text in answer.headers.get_all("Set-Cookie") or ():
                name, _, rest = text.partition("=")
                self._cookies[name.strip()] = rest.partition(";")[0]
        except OSError as error:
            self.errors.append(f"{path}: {error}")
        finally:
            line.close()
