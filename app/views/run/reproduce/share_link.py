"""The share link of a run, copied in one click."""

from app import share_links
from app.client.client import Run
from app.widgets import page_frame
from app.widgets.copy_button import copy_button

MEANING = "The link carries the experiment, not its numbers."
COPIED = (
    f"Copied. {MEANING} Whoever opens it sees the run where it is stored, and can "
    "compute it anywhere."
)


def run_link(run: Run) -> str:
    """Return the share link, with the address that the visitor uses."""
    return share_links.share_link(page_frame.lab_address(), run.spec, run.key)


def draw_copy_link(run: Run, key: str = "copy_link") -> None:
    """Draw the button that copies the share link.

    Args:
        run: The run.
        key: Stable name of the button on the page.
    """
    copy_button(
        "Copy link",
        run_link(run),
        key=key,
        help=f"Copies the link to this run. {MEANING}",
        done=COPIED,
    )
