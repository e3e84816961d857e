"""What a request is: which page or file, from whom, and how it came here."""

import ipaddress
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

Network = IPv4Network | IPv6Network
OLD_PAGES = frozenset({"search", "transfer"})  # their addresses still lead somewhere
PAGES = OLD_PAGES | {
    file.stem for file in (Path(__file__).resolve().parents[2] / "pages").glob("*.py")
}
_PAGE = re.compile(rf"/(?:(?:{'|'.join(sorted(PAGES))})/?)?")


def path_in_app(scope: Scope, base: str) -> str | None:
    """Return the path of a request below the app's own; None if it is elsewhere.

    Args:
        scope: The request.
        base: The path under which the app stands, such as "/lab".
    """
    path = str(scope["path"])
    if path == base:
        return "/"
    return path.removeprefix(base) if path.startswith(f"{base}/") else None


def is_page(scope: Scope, base: str) -> bool:
    """Whether a request asks for a page of the app."""
    path = path_in_app(scope, base) if scope["type"] == "http" else None
    return path is not None and bool(_PAGE.fullmatch(path))


def cookie(scope: Scope, name: str) -> str:
    """Return a cookie of a request; empty if it has none."""
    found = [cookie_parser(text) for text in Headers(scope=scope).getlist("cookie")]
    return next((each[name] for each in reversed(found) if name in each), "")


def is_secure(scope: Scope, proxies: Sequence[Network]) -> bool:
    """Whether the browser came by https, also where a proxy ends it."""
    told = Headers(scope=scope).get("x-forwarded-proto", "").rpartition(",")[2].strip()
    if told and _is_proxy(_peer(scope), proxies):
        return told == "https"
    return scope.get("scheme") in ("https", "wss")


def sender(scope: Scope, proxies: Sequence[Network]) -> str:
    """Return whose a request is, to be counted; never to be stored or logged.

    It is the peer's address or, where the peer is a proxy, the last address in
    X-Forwarded-For that is not one. Addresses of IPv6 count by their network of 64
    bits, as one subscriber has all of it.
    """
    peer = _peer(scope)
    if not _is_proxy(peer, proxies):
        return _subscriber(peer)
    told = ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
    for name in reversed(told.split(",")):
        found = _address(name.strip())
        if found is None:  # what stands before it cannot be trusted either
            break
        if not _is_proxy(found, proxies):
            return _subscriber(found)
    return _subscriber(peer)


def _peer(scope: Scope) -> IPv4Address | IPv6Address | None:
    client = scope.get("client")
    return _address(client[0]) if client else None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    bare = re.sub(r"^\[(.*)\](:\d+)?$|^(\d+\.\d+\.\d+\.\d+):\d+$", r"\1\3", text)
    try:
        found = ipaddress.ip_address(bare)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def _is_proxy(
    address: IPv4Address | IPv6Address | None, proxies: Sequence[Network]
) -> bool:
    # Without an address it came through a socket of this machine.
    return address is None or any(address in network for network in proxies)


def _subscriber(address: IPv4Address | IPv6Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
