"""What a page of the app says of itself where a link to it is previewed.

Streamlit answers every page with the same empty shell, whose scripts draw the rest;
previews run none. So its head gets a title and a description on the way out.
"""

import asyncio
import contextlib
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.report.preview_tags import TITLE_LENGTH, Preview, preview_tags, shorten
from app.web.requests import is_page, path_in_app
from app.widgets.escaping import escape_html

TITLE = b"<title>Streamlit</title>"  # in the shell
LARGEST = 1_000_000  # bytes of a shell; more is passed on as it is
LAB = Preview(
    "Metascope: the Lab",
    "Set up a meta-learning experiment, watch it learn beside tuned baselines, and "
    "read one sentence that says whether it is better.",
)
PAGES = {
    "lab": LAB,
    "runs": Preview(
        "Metascope: Runs",
        "Queued, running and finished experiments with their calls and numbers.",
    ),
    "claims": Preview(
        "Metascope: Claims",
        "Sentences that the literature on meta-learning repeats, each measured with a "
        "protocol that was written first.",
    ),
    "learn": Preview(
        "Metascope: Learn",
        "Five-minute lessons on learning to learn, with figures to play with.",
    ),
    "compare": Preview(
        "Metascope: Compare", "Runs side by side: curves, numbers and settings."
    ),
}
START = Preview(
    "Metascope: a lab for learning to learn",
    "Do learned optimizers, few-shot learners, meta-trained agents and architecture "
    "searches beat well-tuned baselines? Try it in the browser.",
)


class PagePreview:
    """Puts the preview of a page into the head of its shell.

    Args:
        app: What answers.
        base: The path under which the app stands; empty for none.
    """

    def __init__(self, app: ASGIApp, base: str = "") -> None:
        self.app, self.base = app, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; of a page, its shell is changed."""
        if not is_page(scope, self.base) or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        name = (path_in_app(scope, self.base) or "").strip("/")
        preview = await asyncio.to_thread(find_preview, name, scope["query_string"])
        # Compressed, it could not be changed; it has 2 kB.
        headers = [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]
        shell = _Shell(send, lambda body: put_into_head(body, preview))
        await self.app({**scope, "headers": headers}, receive, shell.send)


class _Shell:
    """Collects an answer in HTML, and sends it changed.

    Args:
        send: Sends a message to the browser.
        change: Returns the body to send instead.
    """

    def __init__(self, send: Send, change: Callable[[bytes], bytes]) -> None:
        self._send, self._change = send, change
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            ends = not message.get("more_body", False)
            if ends or len(self._body) > LARGEST:
                await self._send_all(ends)

    async def _send_all(self, ends: bool) -> None:
        start, self._start = self._start or {}, None
        if ends:
            self._body = self._change(self._body)
            headers = MutableHeaders(scope=start)
            headers["content-length"] = str(len(self._body))
            # They are of the shell alone, and would keep an old preview.
            for name in ("etag", "last-modified"):
                del headers[name]
        await self._send(start)
        body = {"type": "http.response.body", "body": self._body}
        await self._send({**body, "more_body": not ends})


def _is_html(message: Message) -> bool:
    headers = MutableHeaders(scope=message)
    is_plain = "content-encoding" not in headers
    is_html = headers.get("content-type", "").startswith("text/html")
    return message["status"] == 200 and is_html and is_plain


def put_into_head(shell: bytes, preview: Preview) -> bytes:
    """Return a shell with the preview in its head, in place of its title."""
    title = escape_html(shorten(preview.title, TITLE_LENGTH))
    tags = f"<title>{title}</title>\n{preview_tags(preview)}"
    return shell.replace(TITLE, tags.encode(), 1)


def find_preview(page: str, query: bytes) -> Preview:
    """Return the preview of a page; of the Lab, that of the run which the link opens.

    Args:
        page: Its path, such as "lab"; empty for Start.
        query: What stands behind the question mark; untrusted.
    """
    known = PAGES.get(page, START)
    if page != "lab" or b"run=" not in query:
        return known
    # A preview is a kindness: what fails here is told by the page itself.
    with contextlib.suppress(Exception):
        asked = parse_qs(query.decode("latin-1"), max_num_fields=20)
        run, share = ((asked.get(name) or [""])[0] for name in ("run", "share"))
        return _describe_run(run, share) or known
    return known


def _describe_run(key: str, token: str) -> Preview | None:
    """Return the preview of a run; in the demo only with what opens it for all."""
    # Not before someone asks: a missing package must not keep the page from saying so.
    from app.client import process_store, recorded_examples
    from app.experiment.experiment_title import experiment_title
    from app.share_links import check_run_key
    from engine.executors.demo import is_demo

    if example := recorded_examples.find_recorded(check_run_key(key)):
        title, summary = experiment_title(example.spec), example.summary
    else:
        if is_demo() and not process_store.opens_run(key, token):
            return None
        store = process_store.shared_store()
        job = store.job(key)
        if job is None:
            return None
        title = job.title.strip() or experiment_title(store.spec(key))
        summary = store.summary(key)
    said = str((summary or {}).get("headline", "")) or "A run of Metascope."
    return Preview(f"{title} · Metascope", said, is_article=True)
