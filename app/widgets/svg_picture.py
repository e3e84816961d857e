"""Small pictures that are no charts: SVG files inside an HTML image, with alt text.

Streamlit removes SVG elements from HTML, but shows images, in which CSS animations and
the user's preference for reduced motion work as on a page.
"""

import base64
from collections.abc import Sequence
from typing import NamedTuple

from app.widgets.escaping import escape_html


class Picture(NamedTuple):
    """An SVG and its text alternative; an empty one is for decoration only."""

    svg: str
    alt: str


class Ink(NamedTuple):
    """Colors of text and of thin lines; an image does not see those of the page."""

    text: str
    line: str


LIGHT, DARK = Ink("#0b1119", "#808995"), Ink("#e4e7ec", "#8f98a5")


def ink_of(theme: str | None) -> Ink:
    """Return the colors for a theme, "dark" or anything else."""
    return DARK if theme == "dark" else LIGHT


def svg_document(size: tuple[int, int], body: str, style: str = "") -> str:
    """Return an SVG file.

    Args:
        size: Width and height of its coordinates; it scales to the room it gets.
        body: Its elements.
        style: CSS for them.
    """
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size[0]} {size[1]}" '
        f'font-family="sans-serif"><style>{style}</style>{body}</svg>'
    )


def polyline(points: Sequence[tuple[float, float]], look: str) -> str:
    """Return a broken line through points.

    Args:
        points: In the SVG's coordinates.
        look: Its further attributes.
    """
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{places}" fill="none" {look}/>'


def picture_html(picture: Picture, css: str) -> str:
    """Return a picture as HTML.

    Args:
        picture: The picture.
        css: Its CSS class.
    """
    return (
        f'<img class="{css}" src="{picture_address(picture)}" '
        f'alt="{escape_html(picture.alt)}">'
    )


def picture_address(picture: Picture) -> str:
    """Return a picture as an address that holds it."""
    data = base64.b64encode(picture.svg.encode()).decode()
    return f"data:image/svg+xml;base64,{data}"
