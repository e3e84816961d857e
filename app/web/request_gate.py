"""What the demo answers: the pages, the files that they need, and nothing else."""

import collections
import re
from typing import NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import structured_log
from app.web.health import PATHS as HEALTH
from app.web.refusal_page import refusal_page
from app.web.requests import is_page, path_in_app
from app.web.settings import WebSettings

QUERY = 64 * 1024  # bytes of an address behind its question mark
SESSIONS = 10_000  # whose uploads are counted
STREAM = "/_stcore/stream"
_FILES = re.compile(
    r"/(?:favicon\.png|figures/[0-9a-f]{64}\.json"
    r"|(?:static|media|component|_stcore/bidi-components)/.+)"
)
_PROBES = ("/_stcore/health", "/_stcore/host-config")
_CHECKS = frozenset({*_PROBES, *HEALTH})
_SIGN_IN = frozenset({"/auth/login", "/auth/logout", "/oauth2callback"})
_UPLOAD = re.compile(r"/_stcore/upload_file/([\w-]{1,64})/[\w-]{1,64}", re.ASCII)


class Refusal(NamedTuple):
    """Why a request is refused.

    Args:
        status: The HTTP status.
        reason: A word for the log.
        sentence: What the page says.
    """

    status: int
    reason: str
    sentence: str


_UNKNOWN = Refusal(404, "path", "The lab has no such page; look at its address.")
_METHOD = Refusal(405, "method", "The lab answers to GET and HEAD alone.")
_LONG = Refusal(
    414, "query", "This link is too long: the lab takes up to 64 kB behind the ?."
)
_NO_UPLOADS = Refusal(
    405, "upload", "Uploads are off in this demo; install the lab to use your own data."
)
_MANY_UPLOADS = Refusal(
    429, "upload_count", "This session has uploaded as many files as the demo allows."
)


class RequestGate:
    """Refuses what no page of the app asks for."""

    def __init__(
        self, app: ASGIApp, settings: WebSettings, *, has_sign_in: bool = False
    ) -> None:
        self.app, self.settings = app, settings
        self.paths = _CHECKS | (_SIGN_IN if has_sign_in else frozenset())
        self.uploads = collections.OrderedDict[str, int]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or say why not."""
        refusal = self._find_refusal(scope)
        if refusal is None:
            await self.app(scope, receive, send)
            return
        # Below a page's address, browsers look for the app's own base path.
        if not str(scope["path"]).endswith(_PROBES):
            structured_log.count("refused", refusal.reason)
        if scope["type"] == "websocket":
            await refuse_socket(receive, send)
        else:
            page = refusal_page(refusal.status, "Refused", refusal.sentence)
            if scope["method"] not in ("GET", "HEAD"):
                # Else the server would read all of the body that it does not want.
                page.headers["Connection"] = "close"
            await page(scope, receive, send)

    def _find_refusal(self, scope: Scope) -> Refusal | None:
        if scope["type"] not in ("http", "websocket"):
            return None
        path = path_in_app(scope, self.settings.base)
        if len(scope["query_string"]) > QUERY:
            return _LONG
        if scope["type"] == "websocket":
            return None if path == STREAM else _UNKNOWN
        if path is not None and (session := _UPLOAD.fullmatch(path)):
            return self._find_upload_refusal(scope["method"], session[1])
        if not self._is_known(scope, path):
            return _UNKNOWN
        return None if scope["method"] in ("GET", "HEAD") else _METHOD

    def _is_known(self, scope: Scope, path: str | None) -> bool:
        # The health checks are there without the base path, too.
        if scope["path"] in HEALTH or is_page(scope, self.settings.base):
            return True
        return path is not None and (path in self.paths or bool(_FILES.fullmatch(path)))

    def _find_upload_refusal(self, method: str, session: str) -> Refusal | None:
        """Count an upload; Streamlit itself caps its bytes while they arrive."""
        if not self.settings.uploads:
            return _NO_UPLOADS
        if method == "DELETE":
            return None
        if method != "PUT":
            return _METHOD
        self.uploads[session] = self.uploads.pop(session, 0) + 1
        if len(self.uploads) > SESSIONS:
            self.uploads.popitem(last=False)
        is_over = self.uploads[session] > self.settings.uploads
        return _MANY_UPLOADS if is_over else None


async def refuse_socket(receive: Receive, send: Send) -> None:
    """Refuse a socket before it is opened: its browser gets status 403."""
    message: Message = await receive()
    if message["type"] == "websocket.connect":
        await send({"type": "websocket.close", "code": 1013})  # try again later
