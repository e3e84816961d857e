"""The cookie by which the demo knows a visitor's browser again: 128 random bits.

Whoever holds it opens that visitor's workspace, so scripts and other sites never see
it. Without it the page works, for one session.
"""

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.requests import cookie, is_page, is_secure
from app.web.settings import WebSettings

COOKIE = "metascope_visitor"  # app/visitors.py reads it
FORM = re.compile(r"[0-9a-f]{32}")


class VisitorCookie:
    """Sets the cookie with the first page, and again before it expires."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a page's headers get the cookie on the way out."""
        if not is_page(scope, self.settings.base):
            await self.app(scope, receive, send)
            return
        held = cookie(scope, COOKIE)
        value = held if FORM.fullmatch(held) else secrets.token_hex(16)
        header = _set_cookie(value, scope, self.settings)

        async def send_with_cookie(message: Message) -> None:
            # Not with a refusal: it makes nobody a visitor.
            if message["type"] == "http.response.start" and message["status"] < 400:
                MutableHeaders(scope=message).append("set-cookie", header)
            await send(message)

        await self.app(scope, receive, send_with_cookie)


def _set_cookie(value: str, scope: Scope, settings: WebSettings) -> str:
    """Return the header; each page renews the cookie's age."""
    parts = [f"{COOKIE}={value}", f"Path={settings.base or '/'}", "HttpOnly"]
    parts.append(f"Max-Age={settings.idle_seconds}")
    secure = is_secure(scope, settings.proxies)
    if settings.embedders and secure:
        # In a frame of another site a browser sends nothing less; it keeps one cookie
        # for each such site.
        parts += ["SameSite=None", "Secure", "Partitioned"]
    else:
        parts += ["SameSite=Lax", *(["Secure"] if secure else [])]
    return "; ".join(parts)
