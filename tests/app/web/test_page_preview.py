"""A link to a page says what it leads to, also where no script runs."""

import asyncio
import html
from pathlib import Path

import pytest
from starlette.responses import HTMLResponse, Response
from starlette.types import Message, Receive, Scope, Send

from app.client import client
from app.web import page_preview
from app.web.page_preview import PagePreview
from engine.executors.demo import MODE

SHELL = "<html><head><title>Streamlit</title></head><body>ü</body></html>"


def answer(address: str, response: Response | None = None) -> tuple[dict, str]:
    """Return headers and text of an answer; the address is below the app's own."""
    path, _, query = address.partition("?")
    headers = [(b"accept-encoding", b"gzip")]
    scope = {"type": "http", "method": "GET", "path": path, "headers": headers}
    sent = list[Message]()

    async def shell(scope: Scope, receive: Receive, send: Send) -> None:
        assert not scope["headers"] or response is not None
        made = response or HTMLResponse(SHELL, headers={"etag": "1"})
        await made(scope, receive, send)

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    asked = scope | {"query_string": query.encode()}
    asyncio.run(PagePreview(shell, base="/base")(asked, receive, send))
    body = b"".join(message.get("body", b"") for message in sent)
    found = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    assert int(found["content-length"]) == len(body)
    return found, body.decode()


def test_pages_have_their_own_titles_and_other_answers_stay_as_they_are() -> None:
    headers, page = answer("/base/lab")
    assert "<title>Metascope: the Lab</title>" in page and "ü" in page
    assert '<meta property="og:title" content="Metascope: the Lab">' in page
    assert "etag" not in headers
    assert "Metascope: a lab" in answer("/base/")[1]
    assert answer("/base/static/x.js", Response(SHELL))[1] == SHELL
    assert answer("/base/lab", Response(SHELL, 404))[1] == SHELL
    assert answer("/base/lab", Response(SHELL, media_type="text/plain"))[1] == SHELL


def test_a_run_is_described_by_title_and_call_and_nothing_of_it_is_markup(
    home: Path, key: str
) -> None:
    client.rename(key, '"><script>alert(1)</script>' + "x" * 500)
    page = answer(f"/base/lab?run={key}&embed=true")[1]
    assert "<script>" not in page and "&quot;&gt;&lt;script&gt;" in page
    assert len(page) < 3000
    said = html.escape(client.summary(key)["headline"])  # type: ignore[index]
    assert f'"og:description" content="{said}"' in page
    for other in ("0" * 64, "../x", "%00", key[:12]):
        assert (
            "<title>Metascope: the Lab</title>" in answer(f"/base/lab?run={other}")[1]
        )


def test_in_the_demo_only_the_token_tells_what_a_run_is(
    home: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.client import process_store

    monkeypatch.setenv(MODE, "demo")
    monkeypatch.setattr(process_store, "opens_run", lambda k, t: (k, t) == (key, "ab"))
    titles = [
        page_preview.find_preview("lab", f"run={key}&share={given}".encode()).title
        for given in ("", "abc", "ab")
    ]
    assert titles == ["Metascope: the Lab", "Metascope: the Lab", "First · Metascope"]
