"""Builds a gallery: a page for each run, an index, pictures and one chart library."""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import plotly.graph_objects as go

from app.client.client import Run
from app.gallery import pictures
from app.gallery.folder import INDEX, MANIFEST, new_gallery
from app.gallery.index_page import make_index
from app.gallery.run_page import Addresses, Entry, Titles, describe_run, make_run_page
from app.report.embedded_data import WHOLE_LIBRARY
from app.report.page import ReportParts, make_parts
from app.widgets import figure_files


class GalleryBuilder:
    """Writes the pages of a gallery one by one, then what they share.

    Args:
        folder: Where to write.
        titles: Titles of parts, by name.
        where: Addresses of the gallery and of a lab.
    """

    def __init__(self, folder: Path, titles: Titles, where: Addresses) -> None:
        self._folder, self._titles, self._where = folder, titles, where
        self._entries: list[Entry] = []
        self._pictures: dict[str, str] = {}
        self._charts: dict[Path, go.Figure] = {}
        self._can_render = figure_files.can_render()
        self._library = self._write_library()

    def add_run(self, run: Run) -> None:
        """Write the page of a run, which must have results."""
        parts = make_parts(run, self._titles)
        is_chart = parts.main is not None and self._can_render
        picture = f"{run.key[:12]}.{'png' if is_chart else 'svg'}"
        entry = describe_run(run, parts.title, picture, self._titles)
        self._entries.append(entry)
        self._pictures[run.key] = pictures.list_picture(run)
        self._prepare_picture(run, parts, self._folder / picture)
        page = make_run_page(run, parts, entry, self._library, self._where)
        (self._folder / entry.page).write_bytes(page)

    def finish(self, title: str) -> None:
        """Write pictures, index and the list of files.

        Args:
            title: What the gallery is called.
        """
        pictures.write_charts(self._charts)
        index = make_index(self._entries, self._pictures, title, self._where)
        (self._folder / INDEX).write_bytes(index)
        runs = [{**entry._asdict(), "page": entry.page} for entry in self._entries]
        files = sorted(path.name for path in self._folder.iterdir())
        listed = {"title": title, "runs": runs, "files": files}
        text = json.dumps(listed, indent=1, ensure_ascii=False)
        (self._folder / MANIFEST).write_text(f"{text}\n", encoding="utf-8")

    def _write_library(self) -> str:
        # Whole: most films need more than its basic bundle, and one file is kept.
        data = WHOLE_LIBRARY.read_bytes()
        name = f"plotly-{hashlib.sha256(data).hexdigest()[:12]}.min.js"
        (self._folder / name).write_bytes(data)
        return name

    def _prepare_picture(self, run: Run, parts: ReportParts, file: Path) -> None:
        if file.suffix == ".svg" or parts.main is None:
            pictures.write_svg(run, file)
        else:
            chart = figure_files.print_figure(parts.main.wide, parts.title)
            self._charts[file] = chart


def build_gallery(
    out: Path,
    runs: Sequence[Callable[[], Run]],
    titles: Titles,
    title: str,
    where: Addresses,
) -> None:
    """Write a gallery to a folder.

    Args:
        out: The folder; nothing is there, or an earlier gallery.
        runs: Functions that read the runs, called one by one to spare memory.
        titles: Titles of parts, by name.
        title: What the gallery is called, plain text.
        where: Addresses of the gallery and of a lab.

    Raises:
        Refused: If the folder holds files of others.
    """
    with new_gallery(out) as folder:
        builder = GalleryBuilder(folder, titles, where)
        for read in runs:
            builder.add_run(read())
        builder.finish(title)
