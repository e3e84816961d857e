"""The files of a run, each built when it is asked for."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import streamlit as st

from app.client import files
from app.client.client import Run
from app.results.run_title import run_title
from app.widgets.figure_files import slug

Titles = Mapping[str, str]


class RunFile(NamedTuple):
    """A file that can be downloaded.

    Args:
        label: What it is.
        suffix: The end of its name, after the run's.
        mime: Its type.
        help: What it is good for.
        icon: Beside its label.
        build: Returns its bytes.
    """

    label: str
    suffix: str
    mime: str
    help: str
    icon: str
    build: Callable[[], bytes]


def list_files(run: Run, titles: Titles) -> Iterator[RunFile]:
    """Yield the files that a run has so far, the most telling first.

    Args:
        run: The run.
        titles: Titles of parts, by name.
    """
    if run.blocks and not run.is_alive:
        yield RunFile(
            "Report",
            "report.html",
            "text/html",
            "One page with films, charts, tables and settings. It needs no network.",
            ":material/article:",
            lambda: _build_report(run, titles),
        )
    yield RunFile(
        "Notebook",
        "notebook.ipynb",
        "application/x-ipynb+json",
        "A Jupyter notebook that computes the run again and compares its numbers.",
        ":material/book_2:",
        lambda: files.export_notebook(run, run_title(run, titles)),
    )
    yield from _exported_files(run)
    if run.job is not None and not run.is_alive:
        yield RunFile(
            "run.zip",
            "run.zip",
            "application/zip",
            "The whole run, films and frozen learners included. Runs can import it.",
            ":material/folder_zip:",
            lambda: files.export_run_archive(run),
        )


_EXPORTED = {
    "config.json": ("application/json", "Everything that determines the numbers."),
    "metrics.csv": ("text/csv", "Every number, one per row."),
    "timings.csv": ("text/csv", "Seconds by learner and stage."),
    "summary.json": ("application/json", "Verdict, statistics and machine."),
}


def _exported_files(run: Run) -> Iterator[RunFile]:
    """Yield the same files that the command line exports."""
    for name, (mime, help_text) in _EXPORTED.items():
        has_rows = name == "config.json" or bool(run.blocks)
        if has_rows and (name != "summary.json" or run.summary is not None):
            yield RunFile(
                name,
                name,
                mime,
                help_text,
                ":material/description:",
                lambda name=name: files.export_file(run, name),
            )


def _build_report(run: Run, titles: Titles) -> bytes:
    from app.report.page import make_report  # when it is asked for: it draws everything

    return make_report(run, titles)


def file_stem(run: Run, titles: Titles) -> str:
    """Return how the names of a run's files begin: its title and its key.

    Args:
        run: The run.
        titles: Titles of parts, by name.
    """
    return f"{slug(run_title(run, titles), 40)}_{run.key[:8]}"


def draw_file(file: RunFile, stem: str, where: str) -> None:
    """Draw the button that downloads a file.

    Args:
        file: The file.
        stem: How its name begins.
        where: The part of the page, in the button's key.
    """
    st.download_button(
        file.label,
        data=file.build,
        file_name=f"{stem}_{file.suffix}",
        mime=file.mime,
        on_click="ignore",
        key=f"{where}.{file.suffix}",
        icon=file.icon,
        help=file.help,
        width="stretch",
    )
