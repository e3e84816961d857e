"""Pictures of a gallery: the main chart for previews, a small one for lists."""

from collections.abc import Mapping
from pathlib import Path

import plotly.graph_objects as go
import plotly.io as pio

from app.client.client import Run
from app.views.start import thumbnails
from app.widgets.svg_picture import (
    DARK,
    LIGHT,
    Ink,
    Picture,
    picture_address,
    picture_html,
)

WIDTH, HEIGHT = 1200, 630  # pixels, as sites show previews
PLAIN = (
    "no Chromium or Chrome was found, so that pictures for previews of links are SVG, "
    "which few sites show"
)


def list_picture(run: Run) -> str:
    """Return the picture of a run in a list as HTML, for light and dark pages."""
    light, dark = (_small_picture(run, ink) for ink in (LIGHT, DARK))
    # The decoration of a link that says the same in words.
    inside = picture_html(light._replace(alt=""), "thumbnail")
    return (
        '<picture><source media="(prefers-color-scheme: dark)" '
        f'srcset="{picture_address(dark)}">{inside}</picture>'
    )


def _small_picture(run: Run, ink: Ink) -> Picture:
    return thumbnails.curves(run, ink) or thumbnails.symbol(run.kind.name, ink)


def write_svg(run: Run, file: Path) -> None:
    """Write the picture of a run as lines alone, which needs no browser."""
    file.write_text(_small_picture(run, LIGHT).svg, encoding="utf-8")


def write_charts(charts: Mapping[Path, go.Figure]) -> None:
    """Write charts as PNG files, with one browser for all.

    Args:
        charts: As `figure_files.print_figure` returns them, by file.
    """
    if charts:
        pio.write_images(
            list(charts.values()),
            list(charts),
            format="png",
            width=WIDTH,
            height=HEIGHT,
        )
