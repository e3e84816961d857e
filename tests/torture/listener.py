"""A visitor of a served demo who notes which secret words arrive, and where."""

import asyncio
import gzip
import http.client
import io
import random
import re
import time
import zipfile
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from tests.benchmarks.visitor_client import PATIENCE, Visitor

_DIGEST = re.compile(r"[0-9a-f]{64}")
_ANSWERS = ("file_urls_response", "backend_operation_response")
_BROKEN = ("no answer", "the socket", "the visitor failed", "encountered an error")


class Moment(NamedTuple):
    """What a browser had in view.

    Args:
        page: The page.
        query: What stood behind the question mark.
        states: The state of each widget.
        buttons: The ids of its buttons.
    """

    page: str
    query: str
    states: tuple[WidgetState, ...]
    buttons: tuple[str, ...]


class Listener(Visitor):
    """A browser tab that looks for words in all that it is sent.

    Args:
        url: The app's address.
        words: What it looks for.
        host: Its network address.
        cookies: What it sends and keeps, whatever the server sets.
    """

    def __init__(
        self,
        url: str,
        words: Sequence[str],
        *,
        host: str,
        cookies: dict[str, str] | None = None,
    ) -> None:
        super().__init__(url, watches=False, host=host)
        self.words, self._given = words, cookies or {}
        self._cookies.update(self._given)
        self.seen, self.statuses = Counter[str](), Counter[int]()
        self.moments: list[Moment] = []
        self.downloads: dict[str, None] = {}  # in the order in which they came
        self.session, self._offered = "", 0
        self._replies: asyncio.Queue[bytes] = asyncio.Queue()

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that it holds."""
        return self._cookies

    @property
    def figures(self) -> list[str]:
        """The digests of the figures that it has fetched."""
        return sorted(_DIGEST.findall(" ".join(self._resources)))

    @property
    def shown_downloads(self) -> list[str]:
        """The ids of the downloads that the page in view offers."""
        return list(self.downloads)[-self._offered :] if self._offered else []

    @property
    def faults(self) -> list[str]:
        """What kept it from an answer: limits, timeouts, errors of a page."""
        limited = [f"{n} × {s}" for s, n in self.statuses.items() if s in (429, 503)]
        return limited + [e for e in self.errors if any(b in e for b in _BROKEN)]

    async def go_to(self, page: str, query: str) -> None:
        """Open an address by the navigation of the open tab, and note the moment."""
        self.page, self.query = page, query
        self.states.clear()
        before = len(self.downloads)
        await self._rerun(time.perf_counter())
        self._offered = len(self.downloads) - before
        buttons = [c.id for c in self.controls.values() if c.kind == "button"]
        states = tuple(self.states.values())
        self.moments.append(Moment(page, query, states, tuple(buttons)))

    async def replay(self, moment: Moment, dice: random.Random) -> None:
        """Send what another browser sent at a moment, and one click on its buttons."""
        # No word that this visitor is to find may come from himself.
        known = [s for s in moment.states if not self._words_in(s.SerializeToString())]
        self.page, self.query = moment.page, moment.query
        self.states = {
            state.id: WidgetState.FromString(bytes_of(state)) for state in known
        }
        # Run would compute a run of his own, beside the guesses.
        pressed = [name for name in moment.buttons if not name.endswith("run_button")]
        if pressed:
            name = dice.choice(pressed)
            self.states[name] = WidgetState(id=name, trigger_value=True)
        await self._rerun(time.perf_counter())

    async def answer_to(self, asked: BackMsg) -> bytes:
        """Send a message; return the reply, and the file that it names."""
        if self._socket is None:
            raise RuntimeError("the page is not open")
        await self._socket.send(asked.SerializeToString())
        try:
            async with asyncio.timeout(PATIENCE):
                reply = await self._replies.get()
        except TimeoutError:
            self.errors.append("no answer to a message")
            return b""
        told = ForwardMsg.FromString(reply).backend_operation_response
        path = told.deferred_file.url
        return reply + (await self.request("GET", path) if path else b"")

    async def request(self, verb: str, path: str) -> bytes:
        """Send an HTTP request; return the answer's headers and body."""
        return await asyncio.to_thread(self._exchange, verb, path)

    def _exchange(self, verb: str, path: str) -> bytes:
        line = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=PATIENCE)
        try:
            line.request(
                verb, path, headers={"Accept-Encoding": "gzip"} | self._headers()
            )
            answer = line.getresponse()
            body = answer.read()
        finally:
            line.close()
        self.statuses[answer.status] += 1
        for text in answer.headers.get_all("Set-Cookie") or ():
            name, _, rest = text.partition("=")
            self._cookies[name.strip()] = rest.partition(";")[0]
        self._cookies.update(self._given)
        if answer.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        body += contents_of(body)
        self.seen.update(self._words_in(body))
        return str(answer.headers).encode() + body

    def _get(self, path: str) -> None:
        self._exchange("GET", path)

    def _words_in(self, data: bytes) -> list[str]:
        return [word for word in self.words if word.encode() in data]

    def _resolved(self, message: ForwardMsg) -> ForwardMsg:
        found = super()._resolved(message)
        data = found.SerializeToString()
        self.seen.update(self._words_in(data))
        kind = found.WhichOneof("type")
        if kind == "new_session":
            self.session = found.new_session.initialize.session_id
        elif kind == "delta":
            name = found.delta.new_element.download_button.deferred_file_id
            self.downloads |= {name: None} if name else {}
        elif kind in _ANSWERS:
            self._replies.put_nowait(data)
        return found


def contents_of(body: bytes) -> bytes:
    """Return what an archive holds; nothing if it is none."""
    if not zipfile.is_zipfile(io.BytesIO(body)):
        return b""
    with zipfile.ZipFile(io.BytesIO(body)) as held:
        return b"".join(held.read(name) for name in held.namelist())


def bytes_of(state: WidgetState) -> bytes:
    """Return a widget's state as bytes."""
    return state.SerializeToString()
