"""Image archives made for tests."""

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from PIL import Image


def picture(
    seed: int, size: tuple[int, int] = (30, 40), mode: str = "L", kind: str = "PNG"
) -> bytes:
    """Draw an image of some width and height; the same for the same seed."""
    draw = np.random.Generator(np.random.Philox(key=seed))
    pixels = draw.integers(0, 256, (size[1], size[0]), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(file, kind)
    return file.getvalue()


def packed(members: Mapping[str, bytes]) -> bytes:
    """Pack members as a ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def folders(classes: int, images: int, around: str = "") -> dict[str, bytes]:
    """Draw a folder of images for each class, no two of them the same."""
    return {
        f"{around}class {c:02}/{i}.png": picture(1000 * c + i)
        for c in range(classes)
        for i in range(images)
    }
