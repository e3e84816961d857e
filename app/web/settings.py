"""The web server's settings, from the environment and Streamlit's configuration."""

import ipaddress
import os
import re
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

import streamlit as st

from engine.contract.errors import Refused
from engine.executors.demo import demo_limits, is_demo, source_address
from engine.executors.environment import whole_number

HOSTS = "STREAMLIT_SERVER_ALLOWED_HOSTS"
PROXY = "METASCOPE_PROXY"
EMBED = "METASCOPE_EMBED"
_LOOPBACK = "127.0.0.0/8, ::1"
_ORIGIN = re.compile(r"https?://(\*\.)?[\w.-]+(:\d+)?|\*", re.ASCII)


class WebSettings(NamedTuple):
    """What the web server allows.

    Args:
        is_demo: Whether this is the public demo; the limits below hold there alone.
        base: The path under which the app stands, such as "/lab"; empty for none.
        sockets: Pages that may be open at the same time.
        sockets_per_address: Those of one address.
        messages_per_second: Actions of one address that are served, on average.
        pages_at_once: Pages of one address that are computed at the same time.
        visitors_per_hour: Browsers of one address that are let in.
        message: Bytes of one action.
        uploads: Files of one session; 0 while uploads are off.
        idle_seconds: How long a browser keeps its workspace's cookie.
        proxies: Whose X-Forwarded-For is believed.
        embedders: Origins whose pages may show the app in a frame.
    """

    is_demo: bool = False
    base: str = ""
    sockets: int = 400
    sockets_per_address: int = 20
    messages_per_second: int = 10
    pages_at_once: int = 3
    visitors_per_hour: int = 60
    message: int = 256 * 1024
    uploads: int = 0
    idle_seconds: int = 86_400
    proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    embedders: tuple[str, ...] = ()


def read_settings() -> WebSettings:
    """Return the settings.

    Raises:
        Refused: If one of them cannot be understood.
    """
    limits = demo_limits()
    source_address()  # only its form: the pages of the demo show it
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    uploads = whole_number("METASCOPE_DEMO_UPLOADS", 10, 1, 1000)
    return WebSettings(
        is_demo=is_demo(),
        base=f"/{base}" if base else "",
        sockets=whole_number("METASCOPE_DEMO_SOCKETS", 400, 1, 100_000),
        sockets_per_address=whole_number(
            "METASCOPE_DEMO_SOCKETS_PER_ADDRESS", 20, 1, 100_000
        ),
        messages_per_second=whole_number(
            "METASCOPE_DEMO_MESSAGES_PER_SECOND", 10, 1, 100_000
        ),
        pages_at_once=whole_number("METASCOPE_DEMO_PAGES_AT_ONCE", 3, 1, 100_000),
        visitors_per_hour=whole_number(
            "METASCOPE_DEMO_VISITORS_PER_HOUR", 60, 1, 10**6
        ),
        message=1024 * whole_number("METASCOPE_DEMO_MESSAGE_KIB", 256, 16, 10_000),
        uploads=uploads if limits.upload else 0,
        idle_seconds=limits.idle_seconds,
        proxies=_read_networks(),
        embedders=read_embedders(),
    )


def _read_networks() -> tuple[IPv4Network | IPv6Network, ...]:
    text = os.environ.get(PROXY, "").strip() or _LOOPBACK
    networks = []
    for name in re.split(r"[\s,]+", text.strip(", ")):
        try:
            networks.append(ipaddress.ip_network(name, strict=False))
        except ValueError:
            raise Refused(
                f"{PROXY} must be a list of addresses or networks such as 10.0.0.0/8, "
                f"with commas between them; {name[:40]!r} is neither",
                PROXY,
            ) from None
    return tuple(networks)


def read_embedders() -> tuple[str, ...]:
    """Return the origins whose pages may show the app in a frame.

    Raises:
        Refused: If one of them cannot be understood.
    """
    text = os.environ.get(EMBED, "").strip(", \t")
    origins = tuple(re.split(r"[\s,]+", text)) if text else ()
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise Refused(
                f"{EMBED} must be a list of origins such as https://course.example, "
                f"with commas between them, or * for all; {origin[:40]!r} is neither",
                EMBED,
            )
    return origins
