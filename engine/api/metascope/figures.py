"""The lab's own figures and report of a run."""

import difflib
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engine.contract.errors import Refused
from engine.contract.part_titles import part_titles
from engine.export import RunRecord
from metascope.arguments import UnknownName, errors_of_writing, show

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from app.charts.chart_options import ResponsiveFigure


_NAMED = 8  # figures in a message


class Plots(Sequence[str]):
    """The names of a run's figures; a figure is drawn when it is asked for first.

    By a number it gives a name, by a name the figure.

    Attributes:
        titles: The title of each, by name.
    """

    def __init__(self, record: RunRecord) -> None:
        from app.client.recorded_examples import run_of_record

        self._run = run_of_record(record)

    @functools.cached_property
    def _figures(self) -> dict[str, "ResponsiveFigure"]:
        from app.charts import run_figures

        found: dict[str, ResponsiveFigure] = {}
        for part in run_figures.page_parts(self._run):
            for each in run_figures.part_figures(self._run, part).values():
                name = each.name
                while name in found:  # two parts of a page may show one name
                    name = f"{part.lower().replace(' ', '_')}.{name}"
                found[name] = each
        return found

    @functools.cached_property
    def titles(self) -> dict[str, str]:
        return {
            name: str((each.wide.layout.meta or {}).get("title", name))
            for name, each in self._figures.items()
        }

    def figure(self, name: str) -> "go.Figure":
        """Return a copy of a figure.

        Raises:
            Refused: If there is none of this name.
        """
        import plotly.graph_objects as go

        held = self._figures
        if not held:
            raise Refused("this run has no figures: it has no results")
        name = name or next(iter(held))
        if name not in held:
            raise UnknownName(_no_figure(name, list(held)), "name")
        return go.Figure(held[name].wide)

    def __getitem__(self, place):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN204
        if isinstance(place, str):
            return self.figure(place)
        return tuple(self._figures)[place]

    def __len__(self) -> int:
        return len(self._figures)

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._figures)

    def __repr__(self) -> str:
        return "\n".join(f"{name:36} {title}" for name, title in self.titles.items())


def _no_figure(name: object, held: list[str]) -> str:
    near = difflib.get_close_matches(str(name), held, 1)
    meant = f"; did you mean {near[0]!r}?" if near else ";"
    more = len(held) - _NAMED
    return (
        f"this run has no figure {show(name)}{meant} {'There' if near else 'there'} "
        f"are: {', '.join(map(repr, held[:_NAMED]))}"
        + (f" and {more} more, which `result.plots` lists" if more > 0 else "")
    )


def write_report(record: RunRecord, path: Path) -> Path:
    """Write a report of a run as one HTML file.

    Raises:
        Refused: If the file cannot be written, or its name is that of another kind.
    """
    if path.suffix.lower() not in (".html", ".htm") and not path.is_dir():
        raise Refused(f"a report is a web page: {path} must end in .html", "path")
    from app.client.recorded_examples import run_of_record
    from app.report.page import make_report
    from engine.catalogue import find_card

    with errors_of_writing(path):
        if not path.parent.is_dir():  # told at once: to make a report takes seconds
            raise FileNotFoundError(path)
        if path.is_dir():
            raise IsADirectoryError(path)
        run = run_of_record(record)
        made = make_report(run, part_titles(record.spec, find_card))
        path.write_bytes(made)
    return path
