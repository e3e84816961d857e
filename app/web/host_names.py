"""A page for whoever asks for this server under a name that it does not answer to.

Streamlit refuses only their socket, and the browser shows a blank page.
"""

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from app import structured_log
from app.web.health import is_health_check
from app.web.refusal_page import refusal_page

LENGTH = 80  # characters of a name that are repeated


class HostNames:
    """Refuses requests to a host name that is not in Streamlit's list.

    Health checks pass: they ask for this machine by whatever address it has.
    """

    def __init__(self, app: ASGIApp, base: str = "") -> None:
        self.app, self.base = app, base

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; a socket is refused by Streamlit itself."""
        if scope["type"] != "http" or is_health_check(scope, self.base):
            await self.app(scope, receive, send)
            return
        host = Headers(scope=scope).get("host")
        if is_host_allowed(host):
            await self.app(scope, receive, send)
            return
        structured_log.count("refused", "host_name")
        await refusal_page(403, "Unknown host name", _explain(host))(
            scope, receive, send
        )


def _explain(host: str | None) -> str:
    shown = (host or "").rpartition(":")[0] or host or ""
    name = f"“{shown[:LENGTH]}”" if shown else "the name that was used"
    return (
        f"This lab does not answer to {name.replace('`', '')}; its operator can add "
        "the name to the setting `STREAMLIT_SERVER_ALLOWED_HOSTS`, a list of host "
        "names without ports, separated by blanks, such as "
        '`STREAMLIT_SERVER_ALLOWED_HOSTS="localhost lab.example.org"`, '
        "and start it again."
    )
