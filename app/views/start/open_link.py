"""Opens what someone else sent: a pasted link, or the archive of a run."""

from urllib.parse import parse_qs

import streamlit as st

from app import session, share_links, visitors
from app.client import client
from app.form import uploads
from app.views.run_import import import_chosen_archive
from app.widgets import page_elements
from engine.contract.errors import Refused

NAMES = ("run", visitors.SHARE, "x")  # the parameters of a link that are read
LIMIT = share_links.PACKED_LIMIT + 2000  # characters of a link


def read_link(text: str) -> dict[str, str]:
    """Return what a link names; its address is neither checked nor visited.

    Args:
        text: An address of any installation.

    Raises:
        Refused: If it names neither a run nor an experiment.

    >>> read_link("http://elsewhere:8501/lab?run=ab&tab=cost")
    {'run': 'ab'}
    """
    if len(text) > LIMIT:
        raise Refused(f"This link is too long: at most {LIMIT:,} characters.", "link")
    query = text.strip().partition("?")[2].partition("#")[0]
    try:
        found = parse_qs(query, max_num_fields=100)
    except ValueError:  # more fields than any link of ours has
        found = {}
    named = {name: found[name][0] for name in NAMES if name in found}
    if not named.keys() & {"run", "x"}:
        raise Refused(
            "This link names no run and no experiment: it needs ?run=… or ?x=….", "link"
        )
    return named


def check_link(named: dict[str, str]) -> None:
    """Check what a link names, as opening it would.

    Raises:
        Refused: In one sentence.
    """
    if "x" in named:
        cards = client.catalogue().card if client.is_catalogue_ready() else None
        share_links.unpack(named["x"], cards)
        return
    key = share_links.check_run_key(named["run"])
    visitors.open_shared_run(key, named.get(visitors.SHARE, ""))
    if client.job(key) is None:
        raise Refused("There is no run with this id.", "run")


def draw_open() -> None:
    """Draw both ways to open something: a link, and the archive of a run."""
    takes_files = uploads.takes_files()
    page_elements.draw_heading(
        "Open a link or a file" if takes_files else "Open a link",
        "From a colleague or from another installation. Opening starts nothing.",
    )
    with st.container(border=True):
        _draw_link()
    if not takes_files:
        return
    with st.popover("Open a file", icon=":material/upload:", key="open_file"):
        job = import_chosen_archive("start")
        if job is not None:
            session.open_lab(job.key)


def _draw_link() -> None:
    with (
        st.form("open_link", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        text = st.text_input(
            "Link to an experiment or a run",
            key="pasted_link",
            placeholder="https://…/lab?x=…",
            help="The address of another installation will do: only the experiment in "
            "it is read, and nothing is fetched.",
        )
        pressed = st.form_submit_button("Open the link", icon=":material/link:")
    if not pressed:
        return
    try:
        named = read_link(text or "")
        check_link(named)
    except Refused as refusal:
        page_elements.draw_refusal(refusal.message)
        return
    st.switch_page(session.LAB, query_params=named)
