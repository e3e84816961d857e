"""The frame of every page: title, logo, style, engine start, errors, polling."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from app import session
from app.client import client
from app.client.catalogue import CatalogueError
from app.widgets import missing_package_notice
from app.widgets.escaping import escape_markdown
from engine.contract.errors import Refused
from engine.executors.demo import is_demo
from engine.store import StoreError, StoreGone

_APP = Path(__file__).parents[1]
UNAVAILABLE = "The demo's store is not available: try again in a few minutes."
PAGE = "current_page"  # the current page's path in the session
_MARK = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 172 32"
 width="172" height="32">
<g fill="none" stroke-width="2.4" stroke-linecap="round">
<path d="M4 25C9 25 9 7 16 7s7 18 12 18" stroke="{accent}"/>
<path d="M4 25c6 0 8-8 12-8s6 8 12 8" stroke="{ink}" stroke-dasharray="1 4.4"/></g>
<circle cx="16" cy="7" r="3" fill="{accent}"/>
<text x="38" y="22.5" font-family="Georgia, 'Source Serif', serif" font-size="20"
 font-weight="600" letter-spacing="0.2" fill="{ink}">Metascope</text></svg>"""


def set_up_page() -> None:
    """Set up title, logo and style; must be the first Streamlit call."""
    st.set_page_config("Metascope", _APP / "static" / "icon.png", layout="wide")
    st.html(_APP / "style.css")
    if is_figure_alone():
        return
    dark = st.context.theme.type == "dark"
    colors = ("#7fb0ea", "#e4e7ec") if dark else ("#24507f", "#1c2530")
    st.logo(_MARK.format(accent=colors[0], ink=colors[1]), size="large")


def is_figure_alone() -> bool:
    """Whether the page is a frame for one figure of a run, without all around it."""
    return bool(st.context.is_embedded) and "run" in st.query_params


def prepare_engine() -> None:
    """Start the engine in the background, so that it is ready when Run is pressed.

    Raises:
        StoreGone: If the store was moved or deleted; its pages would mislead.
    """
    try:
        client.wake_engine()
    except StoreGone:
        raise
    except StoreError:  # the page still shows all that needs no engine
        return


@contextlib.contextmanager
def show_errors() -> Iterator[None]:
    """Show errors that the user can act on as one sentence instead of a traceback."""
    try:
        yield
    except Refused as refusal:
        st.error(escape_markdown(refusal.message), icon=":material/block:")
    except StoreGone as gone:
        if is_demo():  # its folder is the operator's, and none of a visitor's business
            st.error(UNAVAILABLE, icon=":material/folder_off:")
            return
        st.error(escape_markdown(gone), icon=":material/folder_off:")
        _draw_store_choice(gone)
    except (StoreError, CatalogueError) as error:
        told = str(error)
        # Neither a folder nor a full disk is the visitor's to mend.
        if is_demo() and ("/" in told or told.startswith("disk full")):
            told = UNAVAILABLE
        st.error(escape_markdown(told), icon=":material/error:")
        if not is_demo():
            st.caption(
                "`python -m engine doctor` checks the installation and the store."
            )
        st.button("Try again", key="try_again")
    except ModuleNotFoundError as error:
        missing_package_notice.show_notice(error)


def poll(draw: Callable[..., None], seconds: float | None) -> Callable[..., None]:
    """Return a function that draws a part of a page and reruns it every few seconds.

    A rerun does not include the page around it, so errors are caught inside.
    """

    @functools.wraps(draw)  # Streamlit identifies a fragment by its function's name
    def draw_guarded(*given: object) -> None:
        with show_errors():
            draw(*given)

    again: Callable[..., None] = st.fragment(run_every=seconds)(draw_guarded)
    return again


def _draw_store_choice(gone: StoreGone) -> None:
    """Draw what the user can do about a missing store; nothing is created unasked."""
    with st.container(horizontal=True):
        st.button("Look again", key="look_again")
        word = (
            "Use the store that is there now"
            if gone.replaced
            else "Create a new store here"
        )
        if st.button(word, key="reopen_store"):
            client.reopen_store()
            session.show_run(None)  # the new store does not hold the run in view
            st.rerun()


def lab_address() -> str:
    """Return the address of the Lab as the user's browser knows it, for links.

    The app may stand under a path of any name, so only the current page's is cut. Where
    the path is a setting, it is taken from there: Streamlit itself mistakes a path that
    ends like a page, such as /lab, for that page.
    """
    url = (st.context.url or "").split("?", 1)[0].rstrip("/")
    if url and (base := str(st.get_option("server.baseUrlPath") or "").strip("/")):
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}/{base}/lab"
    page = st.session_state.get(PAGE)
    return f"{url.removesuffix(f'/{page}') if page else url}/lab"
