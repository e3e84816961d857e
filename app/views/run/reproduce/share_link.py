"""The share link of a run, copied in one click."""

from collections.abc import Mapping

from app import share_links, visitors
from app.client.client import Run
from app.widgets import page_frame
from app.widgets.copy_button import copy_button
from app.widgets.escaping import escape_html
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
    return share_links.share_link(
        page_frame.lab_address(), run.spec, run.key, _token(run)
    )


def short_link(run: Run, parameters: Mapping[str, str] | None = None) -> str:
    """Return a link that shows a run where it is stored, without its experiment.

    Args:
        run: A run of the store, or a recorded example.
        parameters: What else the link says.
    """
    named = {"run": run.key, visitors.SHARE: _token(run), **(parameters or {})}
    return share_links.lab_link(page_frame.lab_address(), named)


def embed_code(run: Run, title: str, figure: str) -> str:
    """Return the HTML of a frame that shows one figure of a run.

    Args:
        run: The run.
        title: What screen readers call the frame.
        figure: The figure's name, as `figure_lookup` finds it.
    """
    address = short_link(run, {"show": figure, "embed": "true"})
    return (
        f'<iframe src="{escape_html(address)}" title="{escape_html(title)}" '
        'width="100%" height="560" style="border: 0" loading="lazy"></iframe>'
    )


def _token(run: Run) -> str:
    """Return what opens a run of the demo for others; empty where nothing does."""
    return "" if run.job is None else visitors.link_token(run.key)


def meaning_of_link(run: Run) -> str:
    """Return what the link of a run shows to whoever opens it."""
    return OPENED_BY_ALL if is_demo() and run.job is not None else MEANING


def draw_copy_link(run: Run, key: str = "copy_link") -> None:
    """Draw the button that copies the share link.

    Args:
        run: The run.
        key: Stable name of the button on the page.
    """
    told = meaning_of_link(run)
    copy_button(
        "Copy link",
        run_link(run),
        key=key,
        help=f"Copies the link to this run. {told}",
        done=COPIED if told == MEANING else f"Copied. {told}",
    )
