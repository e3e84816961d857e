"""Tells browsers which files to keep, and which one the first page will need."""

import sys
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

YEAR = "public, max-age=31536000, immutable"


class FileHints:
    """Tells browsers which files to keep, and which one the first page will need.

    They keep every script whose address holds its version, as `?v=7.1.0`, and with it
    its compiled form.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; the header is changed on the way out."""
        headers = _hints(scope) if scope["type"] == "http" else {}
        if not headers:
            await self.app(scope, receive, send)
            return

        async def send_with_hints(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 200:
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self.app(scope, receive, send_with_hints)


def _hints(scope: Scope) -> dict[str, str]:
    """Return the headers that the answer to a request gets besides its own."""
    if scope["path"].endswith(("/", "/lab")):
        # Not imported here: a missing package must not keep the page from saying so.
        plots = sys.modules.get("app.widgets.live_plot")
        library = getattr(plots, "BASIC_LIBRARY", "")
        # Start has no chart itself: from there it is fetched when nothing else is.
        urgency = "preload" if scope["path"].endswith("/lab") else "prefetch"
        return {"Link": f"<{library}>; rel={urgency}; as=script"} if library else {}
    query = parse_qs(scope["query_string"].decode("latin-1"))
    kept = scope["path"].endswith(".js") and "v" in query
    return {"Cache-Control": YEAR} if kept else {}
