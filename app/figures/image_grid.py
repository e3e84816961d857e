"""Many small images drawn as one: tiles on a grid, encoded as a PNG."""

import base64
import struct
import zlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
PAD = 2  # pixels around a tile


def compose_image(
    tiles: Iterable[tuple[Pixels, float, float]], width: float, height: float
) -> tuple[Pixels, float]:
    """Place images on a transparent background, each in a cell of size 1 × 1.

    Args:
        tiles: Image, shape (row, column) or (row, column, 3), and its cell's left
            and upper edge.
        width: Width of the background, cells.
        height: Height of the background, cells.

    Returns:
        RGBA pixels, shape (row, column, 4), and the side of a cell in pixels.
    """
    held = list(tiles)
    side = max((max(image.shape[:2]) for image, _, _ in held), default=1) + 2 * PAD
    ground = np.zeros((round(height * side), round(width * side), 4), np.uint8)
    for image, left, top in held:
        rows, columns = image.shape[:2]
        y = round(top * side) + (side - rows) // 2
        x = round(left * side) + (side - columns) // 2
        place = ground[y : y + rows, x : x + columns]
        color = image if image.ndim == 3 else image[..., None]
        place[..., :3], place[..., 3] = color, 255
    return ground, float(side)


def png_data_url(pixels: Pixels) -> str:
    """Return RGBA pixels as the data URL of a lossless PNG."""
    height, width = pixels.shape[:2]
    lines = np.zeros(
        (height, 1 + 4 * width), np.uint8
    )  # PNG: each row starts with its filter, 0 for none
    lines[:, 1:] = pixels.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    packed = zlib.compress(lines.tobytes(), 9)
    chunks = ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(*chunk) for chunk in chunks)
    return "data:image/png;base64," + base64.b64encode(data).decode()


def _png_chunk(name: bytes, data: bytes) -> bytes:
    checked = name + data
    return (
        struct.pack(">I", len(data)) + checked + struct.pack(">I", zlib.crc32(checked))
    )
