"""The share link of a run, copied in one click."""

from app import share_links, visitors
from app.client.client import Run
from app.widgets import page_frame
from app.widgets.copy_button import copy_button
from engine.executors.demo import is_demo

MEANING = "The link carries the experiment, not its numbers."
COPIED = (
    f"Copied. {MEANING} Whoever opens it sees the run where it is stored, and can "
    "compute it anywhere."
)


OPENED_BY_ALL = (
    "Whoever has the link sees this run, read-only, while the demo keeps it. Later, or "
    "in any other lab, the link computes it again."
)


def run_link(run: Run) -> str:
    """Return the share link, with the address that the visitor uses."""
    token = "" if run.job is None else visitors.link_token(run.key)
    return share_links.share_link(page_frame.lab_address(), run.spec, run.key, token)


def draw_copy_link(run: Run, key: str = "copy_link") -> None:
    """Draw the button that copies the share link.

    Args:
        run: The run.
        key: Stable name of the button on the page.
    """
    shared = is_demo() and run.job is not None
    told = OPENED_BY_ALL if shared else MEANING
    copy_button(
        "Copy link",
        run_link(run),
        key=key,
        help=f"Copies the link to this run. {told}",
        done=f"Copied. {told}" if shared else COPIED,
    )
