"""Decoding of one image of the user: from bytes to gray pixels of a fixed size."""

import io
import warnings
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean

LEAST, MOST = 4, 4096  # pixels per side
# The formats that Pillow may detect; none that runs programs, such as PostScript.
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")
_DEEP = 65535.0  # white in 16 bits
_DEEP_MODES = ("I", "F")  # 16-bit or 32-bit whole numbers, and floats
_UNREADABLE = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError)


class DecodedImage(NamedTuple):
    """A decoded image.

    Args:
        pixels: Gray, uint8, shape (side, side).
        size: The original width and height.
        peak: The largest value of an image with more than 8 bits; 0 for others.
    """

    pixels: np.ndarray
    size: tuple[int, int]
    peak: float = 0.0


def decode_gray(
    data: bytes,
    name: str,
    side: int,
    formats: tuple[str, ...] = FORMATS,
    white: float = _DEEP,
) -> DecodedImage:
    """Decode an image and scale it to side × side gray pixels, on white.

    A larger image is averaged; one that is not square is distorted to a square.

    Args:
        data: The file's bytes.
        name: Name of the file, for refusals.
        side: Pixels per side of the result.
        formats: The formats that are read.
        white: The value that is white where there are more than 8 bits.

    Raises:
        Refused: If it is not an image, or is smaller or larger than allowed.
    """
    shown = clean(name)[:60]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(data), formats=formats)
            _check_size(image.size, shown)  # before any pixel is decoded
            image.load()
            deep = image.mode.startswith(_DEEP_MODES)
            peak = float(np.nanmax(np.asarray(image))) if deep else 0.0
            plain = _to_gray(ImageOps.exif_transpose(image), white)
    except Refused:
        raise
    except _UNREADABLE:
        raise Refused(f"{shown!r} cannot be read as an image: it is damaged") from None
    large = min(plain.size) >= side
    way = Image.Resampling.BOX if large else Image.Resampling.BILINEAR
    pixels = np.asarray(plain.resize((side, side), way))
    return DecodedImage(pixels, image.size, peak)


def _check_size(size: tuple[int, int], shown: str) -> None:
    width, height = size
    if not (LEAST <= width <= MOST and LEAST <= height <= MOST):
        raise Refused(
            f"{shown!r} has {width} × {height} pixels; each side must have {LEAST} to "
            f"{MOST:,}"
        )


def _to_gray(image: Image.Image, white: float) -> Image.Image:
    """Return an image in 8-bit gray, transparent parts being white."""
    if image.mode.startswith(_DEEP_MODES):
        # Pillow's own conversion clips 16-bit gray instead of scaling it.
        values = np.nan_to_num(np.asarray(image, np.float64))
        deep = values.clip(0.0, white) * (255.0 / white)
        return Image.fromarray(deep.round().astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image)
    return image.convert("L")
