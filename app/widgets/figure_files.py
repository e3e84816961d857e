"""Figures as files: HTML, SVG and PNG, one of them or all."""

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import plotly.graph_objects as go
import plotly.io as pio

FORMATS = {
    "html": "text/html",
    "svg": "image/svg+xml",
    "png": "image/png",
}
WIDTH, HEIGHT, DENSITY = 1000, 620, 2  # pixels of a picture, and dots per pixel
NO_BROWSER = (
    "SVG and PNG need Chromium or Chrome, and none was found on this "
    "machine. The HTML file contains the same figure."
)


def slug(text: str, most: int = 60) -> str:
    """Return a text in a form that is safe in a file name.

    Args:
        text: Any text.
        most: Its most letters.

    >>> slug("Loss, shifted: mean")
    'loss_shifted_mean'
    """
    words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return "_".join(words)[:most].strip("_") or "run"


def can_render() -> bool:
    """Whether a Chromium is installed, which SVG and PNG need."""
    from choreographer.browsers.chromium import Chromium

    return Chromium.find_browser(skip_local=False) is not None


def render_figure(figure: go.Figure, kind: str, caption: str = "") -> bytes:
    """Return a figure as a file.

    Args:
        figure: Any figure of the page; it is drawn dark on white.
        kind: html, svg or png; the last two need Chromium on this machine.
        caption: What its title says of the run.
    """
    printed = print_figure(figure, caption)
    if kind == "html":
        return printed.to_html(include_plotlyjs=True).encode()
    height = picture_height(figure)
    return bytes(
        printed.to_image(format=kind, width=WIDTH, height=height, scale=DENSITY)
    )


def print_figure(figure: go.Figure, caption: str = "") -> go.Figure:
    """Return a figure as it is printed: titled, dark on white, log axes named so.

    Args:
        figure: Any figure of the page.
        caption: Shown below the title, plain text.
    """
    printed = go.Figure(figure)
    # Plotly looks a trace up by `.cb<uid>`, and "adam:band" is no valid selector.
    printed.for_each_trace(lambda trace: trace.update(uid=None))
    title = (figure.layout.meta or {}).get("title", "")
    room = (figure.layout.margin.t or 0) + (62 if caption else 40)
    printed.update_layout(
        template="plotly_white",
        title={
            "text": title,
            "subtitle": {"text": caption},
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "pad": {"t": 14},
        },
        margin_t=room,
        font_color="#1c2530",
    )
    for axis in (*printed.select_xaxes(), *printed.select_yaxes()):
        if axis.type == "log":
            _name_log_axis(axis)
    return printed


def _name_log_axis(axis: go.layout.XAxis | go.layout.YAxis) -> None:
    """Say on a log axis that it is one, for readers who see the picture alone."""
    words = axis.title.text or ""
    if "log scale" not in words:
        axis.title.text = f"{words} (log scale)" if words else "log scale"


def zip_figures(
    figures: Mapping[str, go.Figure], kind: str, stem: str, caption: str
) -> bytes:
    """Return figures as an archive of files.

    Args:
        figures: By title.
        kind: html, svg or png.
        stem: How the names begin.
        caption: What their titles say of the run.
    """
    printed = {
        # Numbered, so that they keep their order and no two names are one.
        f"{stem}_{place:02}_{slug(title)}.{kind}": print_figure(figure, caption)
        for place, (title, figure) in enumerate(figures.items(), 1)
    }
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in printed]
        if kind == "html":
            for file, figure in zip(files, printed.values(), strict=True):
                # The library stands beside them, once: it is larger than they are.
                figure.write_html(file, include_plotlyjs="directory")
        else:
            _write_pictures(list(printed.values()), files, kind)
        return _zip_folder(Path(folder))


def _write_pictures(figures: list[go.Figure], files: list[Path], kind: str) -> None:
    """Write all figures with one browser, which takes seconds to start."""
    pio.write_images(
        figures,
        files,
        format=kind,
        width=WIDTH,
        height=[picture_height(figure) for figure in figures],
        scale=DENSITY,
    )


def picture_height(figure: go.Figure) -> int:
    """Return how high a picture of a figure is, pixels."""
    return max(HEIGHT, int(figure.layout.height or 0))


def _zip_folder(folder: Path) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, file.name)
    return out.getvalue()
