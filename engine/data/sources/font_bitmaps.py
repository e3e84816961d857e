"""Bitmaps of the characters of DejaVu Sans, a font that is shipped.

Source: DejaVu Sans 2.37, free (Bitstream Vera license and public domain); the file and
its license are in `dejavu/`.
"""

import io
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from engine.contract.errors import Refused
from engine.data.sources.checksums import read_verified

FILE = "DejaVuSans.ttf"
SHA256 = "3fdf69cabf06049ea70a00b5919340e2ce1e6d02b0cc3c4b44fb6801bd1e0d22"
TITLE = "The font DejaVu Sans"
LICENSE = "Bitstream Vera, free"

FIELD, GLYPH = 48, 40  # pixels per side: of a bitmap, and of the ink in it
_SIZE, _LARGEST = 72, 6 * 72  # font sizes: small signs are drawn larger
_NO_CHARACTER = "\U0010ffff"  # a code point that is never assigned
# Scripts whose characters differ by too little at 28 pixels: dots, lines, cards.
_FINE = frozenset({"BRAILLE", "BOX", "DOMINO", "TETRAGRAM", "HEXAGRAM", "PLAYING"})


def font_path() -> Path:
    """Return the path of the font, which is shipped beside this file."""
    return Path(__file__).parent / "dejavu" / FILE


def missing_font() -> str:
    """Return the name of the font if it is missing, else an empty text."""
    return "" if font_path().is_file() else FILE


def font_bytes() -> bytes:
    """Read the font file.

    Raises:
        Refused: If it is absent, or another version, whose glyphs may differ.
    """
    try:
        return read_verified(font_path(), SHA256)
    except Refused as refusal:
        raise Refused(
            f"{refusal.message}; restore {FILE} as this version ships it"
        ) from None


def script(character: str) -> str:
    """Return the first word of a character's Unicode name, usually its script.

    >>> script("Α"), script("А"), script("A")
    ('GREEK', 'CYRILLIC', 'LATIN')
    """
    return unicodedata.name(character, "?").partition(" ")[0]


@lru_cache(maxsize=1)
def font_characters() -> tuple[str, ...]:
    """Return the letters, numbers and symbols of the font, ordered by code point."""
    from fontTools.ttLib import TTFont

    with TTFont(io.BytesIO(font_bytes()), lazy=True) as font:
        codes = sorted(font.getBestCmap())
    every = (chr(code) for code in codes)
    return tuple(c for c in every if _is_drawn(c) and script(c) not in _FINE)


def _is_drawn(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNS"


def draw_bitmaps(some: Sequence[str]) -> np.ndarray:
    """Draw characters, each scaled to 40 pixels and centered.

    Size and position on the line are lost: c and C look alike.

    Args:
        some: The characters.

    Returns:
        uint8, ink bright; shape (character, 48, 48); all 0 for a blank.
    """
    data = font_bytes()
    sizes = {size: _load_font(data, size) for size in range(_SIZE, _LARGEST + 1, _SIZE)}
    drawn = np.zeros((len(some), FIELD, FIELD), np.uint8)
    for place, character in enumerate(some):
        _draw_character(drawn[place], character, sizes)
    return drawn


def missing_glyph() -> np.ndarray:
    """Return the placeholder of the font for unknown characters; (1, 48, 48)."""
    return draw_bitmaps([_NO_CHARACTER])


def _load_font(data: bytes, size: int) -> ImageFont.FreeTypeFont:
    # Without Raqm, whose layout depends on the machine's libraries.
    plain = ImageFont.Layout.BASIC
    return ImageFont.truetype(io.BytesIO(data), size, layout_engine=plain)


def _draw_character(
    field: np.ndarray, character: str, sizes: dict[int, ImageFont.FreeTypeFont]
) -> None:
    ink = _ink(sizes[_SIZE], character)
    if ink is None:
        return
    if (most := max(ink.size)) < GLYPH:  # a small sign: draw it larger, not magnified
        larger = min(_LARGEST, _SIZE * -(-GLYPH // most))
        ink = _ink(sizes[larger], character) or ink
    scale = GLYPH / max(ink.size)
    width, height = (max(1, round(extent * scale)) for extent in ink.size)
    fitted = ink.resize((width, height), Image.Resampling.BOX)
    top, left = (FIELD - height) // 2, (FIELD - width) // 2
    field[top : top + height, left : left + width] = np.asarray(fitted)


def _ink(face: ImageFont.FreeTypeFont, character: str) -> Image.Image | None:
    """Return a character cropped to its ink; None for a blank."""
    left, top, right, bottom = face.getbbox(character)
    image = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), character, 255, face)
    box = image.getbbox()
    return image.crop(box) if box else None
