"""The web server's parts, in the order in which they see a request."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import BaseRoute

from app import structured_log
from app.web import health, startup
from app.web.figure_files import FigureFiles
from app.web.file_hints import FileHints
from app.web.host_names import HostNames
from app.web.page_preview import PagePreview
from app.web.request_gate import RequestGate
from app.web.security_headers import SecurityHeaders
from app.web.settings import WebSettings
from app.web.socket_gate import SocketGate
from app.web.visitor_cookie import VisitorCookie
from app.web.warm_start import warm_up
from engine.executors import cores
from engine.executors.allocator import release_free_memory

RELEASE_INTERVAL = 0.5  # seconds; once takes milliseconds
Lifespan = Callable[[st.App], AbstractAsyncContextManager[None]]


def middleware(settings: WebSettings) -> list[Middleware]:
    """Return what stands in front of Streamlit; in the demo, also what guards it."""
    guards = [
        Middleware(RequestGate, settings=settings, has_sign_in=startup.has_sign_in()),
        Middleware(SocketGate, settings=settings),
        Middleware(VisitorCookie, settings=settings),
    ]
    return [
        Middleware(SecurityHeaders, settings=settings),
        Middleware(HostNames, base=settings.base),
        *(guards if settings.is_demo else []),
        Middleware(FigureFiles),
        Middleware(FileHints),
        Middleware(PagePreview, base=settings.base),
    ]


def routes(settings: WebSettings) -> list[BaseRoute]:
    """Return the routes beside Streamlit's."""
    return health.health_routes(settings.base)


def lifespan(settings: WebSettings) -> Lifespan:
    """Return what happens around the time in which the server answers."""

    @asynccontextmanager
    async def live(app: st.App) -> AsyncIterator[None]:
        structured_log.take_over_libraries()
        async with warm_up():
            _report_start(settings)
            tasks = [asyncio.create_task(_write_summaries())]
            if cores.is_memory_scarce():
                tasks.append(asyncio.create_task(_release_memory()))
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
                structured_log.write_summary()

    return live


def _report_start(settings: WebSettings) -> None:
    # The pages say which package is missing.
    with contextlib.suppress(ModuleNotFoundError):
        from app.web import start_notice

        start_notice.report_start(settings)


async def _write_summaries() -> None:
    while True:
        structured_log.take_over_libraries()
        await asyncio.sleep(structured_log.INTERVAL)
        structured_log.write_summary()


async def _release_memory() -> None:
    """Return free memory to the system again and again, for the worker beside."""
    while True:
        await asyncio.sleep(RELEASE_INTERVAL)
        await asyncio.to_thread(release_free_memory)


def report_error(error: Exception) -> None:
    """Tell the operator of an error that no page handles."""
    structured_log.log("error", "error", **structured_log.describe_error(error))
