"""The progress of a run, in a terminal and in a notebook."""

import html
import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engine.contract.events import Event, Note, stage_in_words

Show = Callable[[float, str], None]


@contextmanager
def show_progress(wanted: bool = True) -> Iterator[Show]:
    """Draw a progress bar for a while, where somebody can see it.

    Args:
        wanted: Whether to draw one at all.

    Yields:
        A function of the share that is done, 0 to 1, and a text. In a notebook it
        updates one line of the cell's output, in a terminal one line of stderr;
        without either it does nothing.
    """
    if wanted and _is_notebook():
        yield from _notebook_bar()
    elif wanted and sys.stderr.isatty():
        from engine.cli.progress_bar import draw_progress_bar

        with draw_progress_bar() as bar:
            yield lambda done, text: bar.progress.update(
                bar.task, completed=done, description=text
            )
    else:
        yield lambda done, text: None


def watch_events(show: Show) -> Callable[[Event], None]:
    """Return what shows the notes of a run as its progress."""

    def watch(event: Event) -> None:
        if isinstance(event, Note):
            show(event.done, describe_stage(event.stage, event.text))

    return watch


def describe_stage(stage: str, text: str) -> str:
    """Return a stage and what it says of itself as one text.

    >>> describe_stage("test in place", "2 of 4")
    'test in distribution · 2 of 4'
    """
    return " · ".join(filter(None, (stage_in_words(stage), text)))


def _is_notebook() -> bool:
    """Return whether output goes to a notebook's cell."""
    known = sys.modules.get("IPython")
    shell = known.get_ipython() if known else None
    return shell is not None and hasattr(shell, "kernel")


def _notebook_bar() -> Iterator[Show]:
    # Not imported by name: it is there because a notebook runs, and is no requirement.
    shown = importlib.import_module("IPython.display")
    handle = shown.display(shown.HTML(_bar(0.0, "starting")), display_id=True)

    def show(done: float, text: str) -> None:
        handle.update(shown.HTML(_bar(done, text)))

    yield show
    handle.update(shown.HTML(""))


def _bar(done: float, text: str) -> str:
    return (
        f'<progress max="1" value="{done:.4f}"></progress> '
        f"{done:.0%} {html.escape(text)}"
    )
