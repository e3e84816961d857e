"""The progress bar of a run in this process."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from engine.cli.console import err
from engine.contract.events import Event, Note, stage_in_words


@contextmanager
def draw_progress_bar() -> Iterator["ProgressBar"]:
    """Draw a progress bar for a while; without a terminal nothing is drawn."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
    )
    # Without a terminal the bar would only print an empty line.
    console = err()
    hidden = not console.is_terminal
    with Progress(
        *columns, console=console, transient=True, disable=hidden
    ) as progress:
        yield ProgressBar(progress)


class ProgressBar:
    """A progress bar that follows the events of a run."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.task = progress.add_task("starting", total=1.0)
        self.begun = False  # whether any event came: something can be kept

    def show(self, what: str) -> None:
        """Show a description, where no event does."""
        self.progress.update(self.task, description=what)

    def __call__(self, event: Event) -> None:
        """Update the bar from one event."""
        self.begun = True
        if isinstance(event, Note):
            self.progress.update(
                self.task,
                completed=event.done,
                description=" · ".join(
                    filter(None, (stage_in_words(event.stage), event.text))
                ),
            )
