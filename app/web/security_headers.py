"""Headers that tell a browser what the pages may load, run and be shown in."""

import base64
import functools
import hashlib
import re
import sys
from pathlib import Path

import streamlit
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.requests import is_page, path_in_app
from app.web.settings import WebSettings
from app.widgets.phone_drawer import CLOSE_SCRIPT

# These break nothing, so a local lab sends them, too.
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
# What a run or a report holds is shown or saved, but runs no script of its own.
_FILE = (
    "default-src 'none'; img-src data:; font-src data:; style-src 'unsafe-inline'; "
    "sandbox; frame-ancestors 'none'"
)
_HOST = re.compile(r"[\w.-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?", re.ASCII)
_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


class SecurityHeaders:
    """Adds the headers to every answer; a policy for contents in the demo alone."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; headers are added on the way out."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in (_ALWAYS | self._policy(scope)).items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _policy(self, scope: Scope) -> dict[str, str]:
        if not self.settings.is_demo:
            return {}
        policy = ""
        if is_page(scope, self.settings.base):
            policy = _page_policy(Headers(scope=scope), self.settings.embedders)
        elif (path_in_app(scope, self.settings.base) or "").startswith("/media/"):
            policy = _FILE
        return {"Content-Security-Policy": policy} if policy else {}


def _page_policy(headers: Headers, embedders: tuple[str, ...]) -> str:
    host = headers.get("host", "")
    # Not all browsers take 'self' to include the socket.
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""
    return "; ".join(
        [
            "default-src 'none'",
            # Streamlit loads the code of components as blobs.
            f"script-src 'self' blob: {' '.join(_script_hashes())}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            f"connect-src 'self' data: blob:{sockets}",
            "media-src 'self' data: blob:",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "manifest-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            f"frame-ancestors 'self' {' '.join(embedders)}".rstrip(),
        ]
    )


def _script_hashes() -> list[str]:
    """Return the hashes of the scripts that stand in a page itself."""
    # Not imported here: a missing package must not keep the page from saying so.
    plots = sys.modules.get("app.widgets.live_plot")
    own = [plots.PRELOAD_SCRIPT] if hasattr(plots, "PRELOAD_SCRIPT") else []
    own.append(CLOSE_SCRIPT)
    return [_hash(text) for text in (*_scripts_of_streamlit(), *own)]


@functools.cache
def _scripts_of_streamlit() -> list[str]:
    page = Path(streamlit.__file__).parent / "static" / "index.html"
    return _INLINE.findall(page.read_text(encoding="utf-8"))


@functools.cache
def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
