"""A figure has an address of its own, which only its content gives."""

import asyncio
import gzip
import hashlib
import json

import plotly.graph_objects as go
import pytest
from starlette.types import Message, Receive, Scope, Send

from app.views.start import gallery
from app.web.figure_files import FigureFiles
from app.widgets import figure_bodies, live_plot
from app.widgets.figure_bodies import FigureBodies
from app.widgets.svg_picture import ink_of


def test_the_address_is_the_digest_of_what_it_holds() -> None:
    bodies = FigureBodies()
    digest = bodies.add('{"data":[]}')
    assert digest == hashlib.sha256(b'{"data":[]}').hexdigest()
    assert gzip.decompress(bodies.get(digest) or b"") == b'{"data":[]}'
    assert bodies.add('{"data":[]}') == digest
    assert bodies.add('{"data":[1]}') != digest


def test_the_least_recently_used_figures_give_way() -> None:
    bodies = FigureBodies(max_bytes=120)
    first, second = bodies.add("1" * 40), bodies.add("2" * 40)
    assert bodies.touch(first)
    for number in range(3, 9):
        bodies.add(str(number) * 40)
        bodies.touch(first)
    assert bodies.get(first) is not None
    assert bodies.get(second) is None
    assert not bodies.touch(second)


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> FigureBodies:
    made = FigureBodies()
    for module in (figure_bodies, live_plot):
        monkeypatch.setattr(module, "bodies", made)
    monkeypatch.setattr("app.web.figure_files.bodies", made)
    return made


def test_a_chart_gets_an_address_where_our_server_runs(bodies: FigureBodies) -> None:
    figure = go.Figure(go.Scatter(y=list(range(900))))
    whole = live_plot._send(go.Figure(figure)).text
    assert json.loads(whole)["data"]
    bodies.is_served = True
    sent = live_plot._send(figure)
    # Not twice in memory: the browser fetches the compressed JSON.
    assert sent.text == ""
    assert sent.digest == hashlib.sha256(whole.encode()).hexdigest()
    # Dropped for others, it is there again with the next rerun.
    bodies._bodies.clear()
    live_plot._send(figure)
    assert gzip.decompress(bodies.get(sent.digest) or b"").decode() == whole


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/figures/{digest}.json", 200),
        ("/base/figures/{digest}.json", 200),
        ("/figures/" + "0" * 64 + ".json", 404),
        ("/figures/", 418),  # nothing lists them
        ("/figures/../{digest}.json", 418),
        ("/figures/{digest}", 418),
    ],
)
def test_only_who_knows_a_figures_digest_gets_it(
    bodies: FigureBodies, path: str, status: int
) -> None:
    digest = bodies.add('{"data":[]}')
    answer = asyncio.run(_get(path.format(digest=digest)))
    assert answer[0]["status"] == status
    if status == 200:
        headers = dict(answer[0]["headers"])
        assert headers[b"cache-control"].startswith(b"private,")
        assert gzip.decompress(answer[1]["body"]) == b'{"data":[]}'


async def _get(path: str) -> list[Message]:
    sent = list[Message]()

    async def others(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 418, "headers": []})

    async def take(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope = {"type": "http", "path": path, "method": "GET"}
    await FigureFiles(others)(scope, receive, take)
    return sent


def test_a_picture_of_the_dark_theme_is_not_that_of_the_light_one() -> None:
    light, dark = (
        gallery.recorded_curves("optimization", ink_of(theme))
        for theme in ("light", "dark")
    )
    assert light.svg != dark.svg
