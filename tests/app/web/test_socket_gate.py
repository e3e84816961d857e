"""One address cannot take the whole demo."""

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from app.web import socket_gate
from app.web.address_limits import Address
from app.web.page_turns import PAGES_AT_ONCE
from app.web.settings import WebSettings, read_settings
from app.web.socket_gate import SocketGate
from app.web.visitor_cookie import COOKIE
from tests.app.web.asgi import ask, page, request, socket

SETTINGS = read_settings()._replace(
    is_demo=True, sockets=4, sockets_per_address=2, visitors_per_hour=3, message=1000
)


class Sockets:
    """Sockets that stay open until they are told to close."""

    def __init__(self, settings: WebSettings = SETTINGS) -> None:
        self.gate = SocketGate(self.hold, settings)
        self.release = asyncio.Event()

    async def hold(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        await self.release.wait()

    async def open(self, address: str, visitor: str = "") -> str:
        """Open one; return the type of the first message that its browser gets."""
        first = asyncio.get_running_loop().create_future()

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            if not first.done():
                first.set_result(message["type"].removeprefix("websocket."))

        held = f"{COOKIE}={visitor}"
        scope = socket(x_forwarded_for=f"9.9.9.9, {address}", cookie=held)
        self.task = asyncio.create_task(self.gate(scope, receive, send))
        return await first

    async def close(self) -> None:
        self.release.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.release.clear()


def test_one_address_gets_its_share_and_another_address_its_own() -> None:
    async def scenario() -> list[str]:
        sockets = Sockets(SETTINGS._replace(visitors_per_hour=100))
        told = [await sockets.open("1.1.1.1") for _ in range(3)]
        told += [await sockets.open("2.2.2.2") for _ in range(2)]
        told += [await sockets.open("3.3.3.3")]  # the lab is full
        await sockets.close()
        return [*told, await sockets.open("1.1.1.1")]

    expected = ["accept", "accept", "close", "accept", "accept", "close", "accept"]
    assert asyncio.run(scenario()) == expected


def test_one_subscriber_of_ipv6_is_one_address() -> None:
    async def scenario() -> list[str]:
        sockets = Sockets()
        return [await sockets.open(f"2001:db8::{n}") for n in range(1, 4)]

    assert asyncio.run(scenario()) == ["accept", "accept", "close"]


def test_new_browsers_of_one_address_are_limited_and_known_ones_are_not() -> None:
    async def scenario() -> list[str]:
        sockets, told = Sockets(), []
        for visitor in ("a" * 32, "b" * 32, "a" * 32, "", "c" * 32, "b" * 32):
            told.append(await sockets.open("1.1.1.1", visitor))
            await sockets.close()
        return told

    expected = ["accept", "accept", "accept", "accept", "close", "accept"]
    assert asyncio.run(scenario()) == expected


def test_a_full_lab_says_so_on_its_pages() -> None:
    gate = SocketGate(page, SETTINGS)
    assert ask(gate, request("/lab")).status == 200
    gate.open = SETTINGS.sockets
    full = ask(gate, request("/lab"))
    assert full.status == 503 and "full" in full.text and full.headers["retry-after"]
    assert ask(gate, request("/healthz")).status == 200


def test_messages_beyond_the_rate_wait_and_then_come_at_the_rate() -> None:
    address = Address(rate=10, at_once=1)
    waits = [address.wait(100.0) for _ in range(70)]
    assert waits[:50] == [0.0] * 50
    assert waits[-1] == pytest.approx(2.0)
    assert address.wait(200.0) == 0.0


def test_addresses_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_gate, "ADDRESSES", 10)
    gate = SocketGate(page, SETTINGS)
    for n in range(100):
        ask(gate, request("/", x_forwarded_for=f"8.8.8.{n}"))
    assert len(gate.addresses) <= 11


def test_one_address_computes_few_pages_at_once_and_a_click_interrupts_its_own() -> (
    None
):
    rerun = BackMsg(rerun_script=ClientState()).SerializeToString()
    early = ForwardMsg(script_finished=ForwardMsg.FINISHED_EARLY_FOR_RERUN)
    ended = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)

    async def scenario() -> list[int]:
        address = Address(rate=100, at_once=2)
        gate = SocketGate(page, SETTINGS)
        lines = [Line(gate, address, rerun) for _ in range(3)]
        counts = []
        for act in (
            lambda: [line.click() for line in lines],  # the third waits
            lines[0].click,  # it need not: it has its turn
            lambda: lines[0].answer(early),  # which goes on
            lambda: lines[0].answer(ended),  # the third has the turn now
        ):
            act()
            for _ in range(20):
                await asyncio.sleep(0)
            counts.append(sum(line.reached for line in lines))
        for line in lines:
            line.task.cancel()
        return counts

    assert asyncio.run(scenario()) == [2, 3, 3, 4]


def test_few_pages_of_all_are_computed_at_once_and_a_slow_one_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(socket_gate, "SOON", 0.1)
    rerun = BackMsg(rerun_script=ClientState()).SerializeToString()
    ended = ForwardMsg(script_finished=ForwardMsg.FINISHED_SUCCESSFULLY)

    async def scenario() -> list[list[int]]:
        gate = SocketGate(page, SETTINGS)
        lines = [Line(gate, Address(100, 3), rerun) for _ in range(PAGES_AT_ONCE + 2)]
        counts = []
        for act, seconds in (
            (lambda: [line.click() for line in lines], 0.01),
            (lambda: lines[1].answer(ended), 0.01),
            (lambda: None, 0.15),
        ):
            act()
            await asyncio.sleep(seconds)
            counts.append([line.reached for line in lines])
        for line in lines:
            line.task.cancel()
        return counts

    first, second, third = asyncio.run(scenario())
    assert first == [1] * PAGES_AT_ONCE + [0, 0]
    assert second == [1] * PAGES_AT_ONCE + [1, 0]  # the first to wait is the next
    assert third == [1] * (PAGES_AT_ONCE + 2)


@pytest.mark.parametrize(
    ("message", "arrives"),
    [
        (BackMsg(app_heartbeat=True), True),
        (BackMsg(load_git_info=True), False),
        (BackMsg(clear_cache=True), False),
        (BackMsg(debug_shutdown_runtime=True), False),
        (BackMsg(), False),
    ],
)
def test_messages_of_whoever_develops_an_app_do_not_arrive(
    message: BackMsg, arrives: bool
) -> None:
    async def scenario() -> int:
        gate = SocketGate(page, SETTINGS)
        line = Line(gate, Address(100, 1), message.SerializeToString())
        line.click()
        for _ in range(20):
            await asyncio.sleep(0)
        line.task.cancel()
        return line.reached

    assert asyncio.run(scenario()) == arrives


class Line:
    """One open socket, between its browser and Streamlit."""

    def __init__(self, gate: SocketGate, address: Address, message: bytes) -> None:
        self.clicks, self.reached = asyncio.Queue[Message](), 0
        self.message: Message = {"type": "websocket.receive", "bytes": message}
        turns = gate._make_turns(address)
        self.receive = gate._limit(self.clicks.get, self.ignore, address, turns)
        self.send = socket_gate._watch(self.ignore, turns)
        self.task = asyncio.create_task(self.read())

    async def ignore(self, message: Message) -> None:
        pass

    async def read(self) -> None:
        while await self.receive():
            self.reached += 1

    def click(self) -> None:
        self.clicks.put_nowait(self.message)

    def answer(self, message: ForwardMsg) -> None:
        data = message.SerializeToString()
        sending = self.send({"type": "websocket.send", "bytes": data})
        self.task.get_loop().create_task(sending)  # type: ignore[arg-type]


@pytest.fixture
def port() -> Iterator[int]:
    """Serve sockets that answer the size of each message."""

    async def answer_sizes(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["type"] == "websocket.connect"
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            size = ForwardMsg(hash=str(len(message["bytes"])))
            data = size.SerializeToString()
            await send({"type": "websocket.send", "bytes": data})

    config = uvicorn.Config(
        SocketGate(answer_sizes, SETTINGS),
        port=0,
        log_level="critical",
        lifespan="off",
        ws="websockets-sansio",
        ws_max_size=10**9,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


def test_a_message_over_the_limit_is_not_even_collected(port: int) -> None:
    allowed, longer = (
        BackMsg(rerun_script=ClientState(query_string="x" * size)).SerializeToString()
        for size in (990, 5000)
    )
    assert SETTINGS.message - 10 < len(allowed) <= SETTINGS.message
    with connect(f"ws://127.0.0.1:{port}/_stcore/stream") as one:
        send_and_receive(one, [allowed])
        fragments = [longer[at : at + 500] for at in range(0, len(longer), 500)]
        with pytest.raises(ConnectionClosed):
            send_and_receive(one, fragments)


def send_and_receive(one: ClientConnection, fragments: list[bytes]) -> None:
    one.send(fragments)
    told = ForwardMsg.FromString(one.recv())  # type: ignore[arg-type]
    assert int(told.hash) == sum(map(len, fragments))


@pytest.mark.parametrize(("message", "code"), [("text", 1003), (b"no message", 1002)])
def test_what_no_browser_sends_is_refused(
    port: int, message: str | bytes, code: int
) -> None:
    with connect(f"ws://127.0.0.1:{port}/_stcore/stream") as one:
        one.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            one.recv()
    assert closed.value.rcvd is not None and closed.value.rcvd.code == code
