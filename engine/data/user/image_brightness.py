"""What is white in images of more than 8 bits, which often use few of them."""

from typing import NamedTuple

from engine.data.user.image_archives import SIDE
from engine.data.user.image_decoding import decode_gray
from engine.data.user.loaded_images import ALL_FORMATS, LoadedImage

WHITES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)  # of 8, 10, 12, … bits
_DARK = 16


class Brightness(NamedTuple):
    """What is done about images that use a small part of their range.

    Args:
        white: The value that is read as white; 0 where nothing is changed.
        remarks: One sentence each.
    """

    white: float
    remarks: list[str]


def brighten(
    classes: dict[str, list[LoadedImage]],
) -> tuple[dict[str, list[LoadedImage]], Brightness]:
    """Scale images of more than 8 bits by the range that all of them use.

    Args:
        classes: The images of each class.

    Returns:
        classes: The same, scaled.
        brightness: What was done.
    """
    every = [image for images in classes.values() for image in images]
    peak = max((image.drawing.peak for image in every), default=0.0)
    white = next((w for w in WHITES if peak <= w), peak)
    if not peak or white == WHITES[-1]:
        brightest = max((int(i.drawing.pixels.max()) for i in every), default=255)
        told = []
        if brightest < _DARK:
            told.append(f"all images are dark: no pixel is above {brightest} of 255")
        return classes, Brightness(0.0, [])._replace(
            remarks=told
        ) if told else Brightness(0.0, [])
    scaled = {
        name: [
            image._replace(
                drawing=decode_gray(
                    image.file.read(), image.file.name, SIDE, ALL_FORMATS, white
                )
            )
            if image.drawing.peak
            else image
            for image in images
        ]
        for name, images in classes.items()
    }
    deep = sum(bool(image.drawing.peak) for image in every)
    remark = (
        f"{deep:,} images have more than 8 bits, but no value above {peak:g}: "
        f"{white:g} is read as white"
    )
    return scaled, Brightness(white, [remark])
