"""What the server tells on the console when it is ready."""

import sys

import streamlit as st
from streamlit.web.server import server_util

from app import structured_log
from app.web.settings import EMBED, HOSTS, PROXY, WebSettings
from app.web.startup import ERROR_DETAILS
from engine import __version__
from engine.executors.cores import worker_count, worker_niceness
from engine.executors.demo import MIB, demo_limits
from engine.store import Store, StoreError


def report_start(settings: WebSettings) -> None:
    """Tell on the console where the lab is and what it allows."""
    lines = _describe(settings)
    width = max(map(len, lines))
    table = "".join(f"  {name:{width}}  {text}\n" for name, text in lines.items())
    sys.stdout.write(f"\nMetascope {__version__} is ready.\n{table}\n")
    sys.stdout.flush()
    structured_log.log("start", version=__version__, workers=worker_count())


def _describe(settings: WebSettings) -> dict[str, str]:
    """Return the lines of the start notice, by their names."""
    address = st.get_option("server.address") or "localhost"
    shown = server_util.get_url(server_util.get_display_address(address))
    hosts = ", ".join(st.get_option("server.allowedHosts")) or "all"
    details = st.get_option(ERROR_DETAILS)
    lines = {
        "address": f"{shown}, listening on {address}",
        "host names": f"{hosts} ({HOSTS})",
        "base path": settings.base or "none",
        "mode": "public demo" if settings.is_demo else "local",
        "workers": f"{worker_count()}, niceness {worker_niceness()}",
        "store": _describe_store(),
        "error details": "off" if details == "none" else f"on ({details})",
    }
    if not settings.base:
        del lines["base path"]
    return lines | (_describe_limits(settings) if settings.is_demo else {})


def _describe_store() -> str:
    try:
        return str(Store.open().home)
    except StoreError as error:
        return f"cannot be used: {error}"


def _describe_limits(settings: WebSettings) -> dict[str, str]:
    limits = demo_limits()
    proxies = ", ".join(map(str, settings.proxies))
    uploads = f"up to {limits.upload // MIB} MiB" if limits.upload else "off"
    return {
        "visitor": f"{limits.running} running and {limits.queued} waiting runs; "
        f"workspace emptied after {limits.idle_seconds // 3600} idle hours; "
        f"uploads {uploads}",
        "run": f"{limits.run_seconds // 60} minutes, "
        f"{limits.run_gradients // 10**6} million gradients, "
        f"{limits.run_memory // MIB} MiB of memory, {limits.run_disk // MIB} on disk",
        "all runs": f"{limits.store_disk // MIB} MiB on disk",
        "open pages": f"{settings.sockets}, {settings.sockets_per_address} per address",
        "per address": f"{settings.messages_per_second} actions per second, "
        f"{settings.pages_at_once} pages computed at once, "
        f"{settings.visitors_per_hour} browsers per hour",
        "proxies": f"{proxies} ({PROXY})",
        "frames": ", ".join(settings.embedders) or f"none ({EMBED})",
    }
