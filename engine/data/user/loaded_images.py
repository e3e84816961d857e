"""The images of a user's classes, decoded; what cannot be is named, not refused."""

from typing import NamedTuple

from engine.contract.errors import Refused
from engine.data.user.image_archives import PIXELS, SIDE
from engine.data.user.image_decoding import FORMATS, DecodedImage, decode_gray
from engine.data.user.image_files import ImageFile
from engine.data.user.image_folders import ImageLayout

ALL_FORMATS = (*FORMATS, "TIFF", "PPM")


class LoadedImage(NamedTuple):
    """An image of a class, decoded.

    Args:
        file: Where it is from.
        drawing: Its pixels.
    """

    file: ImageFile
    drawing: DecodedImage


def load_images(
    layout: ImageLayout,
) -> tuple[dict[str, list[LoadedImage]], dict[str, str]]:
    """Decode all images.

    Args:
        layout: The files of each class.

    Returns:
        classes: The images of each class that can be read.
        bad: Why the others cannot, by the file's name.

    Raises:
        Refused: If there are too many pixels, or the archive itself cannot be read.
    """
    classes: dict[str, list[LoadedImage]] = {}
    bad: dict[str, str] = {}
    pixels = 0
    for name, files in layout.classes.items():
        classes[name] = []
        for file in files:
            try:
                drawing = decode_gray(file.read(), file.name, SIDE, ALL_FORMATS)
            except Refused as refusal:
                if refusal.field == "archive":
                    raise
                bad[file.name] = refusal.message
                continue
            pixels += drawing.size[0] * drawing.size[1]
            if pixels > PIXELS:
                raise Refused(f"these images have more than {PIXELS:,} pixels in all")
            classes[name].append(LoadedImage(file, drawing))
    return classes, bad
