"""The link of a run as a QR code, for a screen that many look at."""

import functools
import io
from urllib.parse import urlsplit

import segno
import streamlit as st

from app.client.client import Run
from app.views.run.reproduce.share_link import short_link
from app.widgets.escaping import escape_html
from app.widgets.svg_picture import Picture, picture_html

# Characters; a code of more has so many small squares that a phone cannot tell them
# apart across a room.
LONGEST = 500
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def draw_qr_code(run: Run) -> None:
    """Draw the button that shows the code.

    Args:
        run: The run.
    """
    with st.popover(
        "Show QR code", icon=":material/qr_code_2:", key="qr_code", type="tertiary"
    ):
        link = short_link(run)
        if len(link) > LONGEST:
            st.caption(
                f"This link has {len(link):,} characters, and a code that phones can "
                f"read across a room holds at most {LONGEST}: send it with Copy link."
            )
            return
        picture = Picture(qr_svg(link), "QR code of the address below")
        st.html(
            f"{picture_html(picture, 'qr-code')}"
            f'<p class="qr-address">{escape_html(link)}</p>'
        )
        if urlsplit(link).hostname in LOCAL_HOSTS:
            st.caption("This address leads to this machine: no phone can open it.")


@functools.lru_cache(maxsize=64)
def qr_svg(text: str) -> str:
    """Return a text as a QR code, black on white in either theme, as an SVG file."""
    out = io.BytesIO()
    # Of a picture on a screen nothing is lost, so it needs no spare squares.
    code = segno.make(text, error="l", micro=False, boost_error=True)
    code.save(out, kind="svg", xmldecl=False, omitsize=True, light="#fff", border=4)
    return out.getvalue().decode()
