"""runs tag, runs note: the user's own words on a run."""

from collections.abc import Callable
from typing import Annotated

import typer

from engine.cli.console import Exit, print_status
from engine.contract.jobs import Job
from engine.store import Store, annotations

Open = Callable[[str], tuple[Store, Job]]
Run = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id, or its first digits.")
]


def add_commands(runs: typer.Typer, open_run: Open) -> None:
    """Add the commands to the group `runs`.

    Args:
        runs: The group.
        open_run: Returns the store and the run whose id begins with some digits.
    """

    @runs.command()
    def tag(
        key: Run,
        tags: Annotated[list[str], typer.Argument(help="Tags to add.")],
        *,
        remove: Annotated[
            bool, typer.Option("--remove", help="Remove these tags instead.")
        ] = False,
    ) -> int:
        """Add tags to a run, or remove them."""
        store, job = open_run(key)
        held = annotations.read_annotations(store.index, job.key)
        others = [each for each in held.tags if each not in tags]
        asked = others if remove else [*held.tags, *tags]
        now = annotations.annotate(store.index, job.key, tuple(asked), held.note)
        print_status(f"{job.key[:12]} has the tags: {', '.join(now.tags) or 'none'}")
        return Exit.OK

    @runs.command()
    def note(
        key: Run,
        text: Annotated[str, typer.Argument(help="The note; empty to remove it.")],
    ) -> int:
        """Write a note on a run, in place of the one that it has."""
        store, job = open_run(key)
        held = annotations.read_annotations(store.index, job.key)
        now = annotations.annotate(store.index, job.key, held.tags, text)
        print_status(f"{job.key[:12]} has {'a note' if now.note else 'no note'}")
        return Exit.OK
