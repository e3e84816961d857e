"""Serves the JSON of figures under their digests."""

from starlette.types import ASGIApp, Receive, Scope, Send

from app.widgets.figure_bodies import ADDRESS, bodies

# Whoever may see a figure may keep it; a proxy between may not.
HEADERS = [
    (b"content-type", b"application/json"),
    (b"content-encoding", b"gzip"),
    (b"cache-control", b"private, max-age=31536000, immutable"),
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
GONE = [(b"cache-control", b"no-store"), (b"content-length", b"0")]


class FigureFiles:
    """Answers requests for figures; all others go on."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        bodies.is_served = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        found = ADDRESS.search(scope["path"]) if scope["type"] == "http" else None
        if found is None or scope["method"] not in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        body = bodies.get(found[1])
        status, headers = (404, GONE) if body is None else (200, _headers(body))
        await send(
            {"type": "http.response.start", "status": status, "headers": headers}
        )
        content = b"" if scope["method"] == "HEAD" else body or b""
        await send({"type": "http.response.body", "body": content})


def _headers(body: bytes) -> list[tuple[bytes, bytes]]:
    return [*HEADERS, (b"content-length", b"%d" % len(body))]
