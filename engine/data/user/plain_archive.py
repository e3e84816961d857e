"""A plain archive of a user's images: the same bytes on any machine."""

import io
import zipfile

from PIL import Image

from engine.contract.errors import Refused
from engine.data.user.image_archives import LIMIT
from engine.data.user.image_brightness import Brightness
from engine.data.user.image_folders import REDRAWN, SAME_BYTES
from engine.data.user.loaded_images import LoadedImage


def has_other_kinds(classes: dict[str, list[LoadedImage]]) -> bool:
    """Return whether some images are stored under another suffix than the user's."""
    other = (*SAME_BYTES, *REDRAWN)
    return any(
        image.file.name.lower().endswith(other)
        for images in classes.values()
        for image in images
    )


def pack_images(
    classes: dict[str, list[LoadedImage]], pools: dict[str, str], dark: Brightness
) -> bytes:
    """Return a plain archive: a folder per class, within its pool if there are any.

    Args:
        classes: The images of each class.
        pools: The pool of each class; empty for none.
        dark: What is white.

    Raises:
        Refused: If it has too many bytes.
    """
    packed, total = io.BytesIO(), 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, images in classes.items():
            folder = name.replace("/", "-").replace("\\", "-")
            folder = f"{pools[name]}/{folder}" if pools else folder
            for at, image in enumerate(images):
                data, suffix = _stored_image(image, dark)
                total += len(data)
                if total > LIMIT:
                    raise Refused(f"these images have more than {LIMIT:,} bytes in all")
                # ZipInfo has a fixed date: the digest depends on contents alone.
                info = zipfile.ZipInfo(f"{folder}/{at:05}{suffix}")
                archive.writestr(info, data)
    return packed.getvalue()


def _stored_image(image: LoadedImage, dark: Brightness) -> tuple[bytes, str]:
    """Return an image's bytes and suffix, in a format that stored archives have."""
    name = image.file.name.lower()
    suffix = name[name.rindex(".") :]
    if suffix in SAME_BYTES:
        return image.file.read(), ".jpg"
    if suffix not in REDRAWN and not (dark.white and image.drawing.peak):
        return image.file.read(), suffix
    file = io.BytesIO()
    # Without compression, so that the bytes are the same on any machine.
    Image.fromarray(image.drawing.pixels).save(file, "PNG", compress_level=0)
    return file.getvalue(), ".png"
