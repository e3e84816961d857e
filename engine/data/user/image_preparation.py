"""From a user's images to the archive that runs refer to, and what is said of them.

An archive that needs no change is stored as it is; any other becomes a plain one.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean
from engine.data.user.image_archives import (
    CLASSES,
    IMAGES,
    LIMIT,
    PIXELS,
    SIDE,
    ImageArchive,
    read_images,
)
from engine.data.user.image_decoding import FORMATS, DecodedImage, decode_gray
from engine.data.user.image_files import (
    FileList,
    ImageFile,
    list_archive,
    list_folder,
)
from engine.data.user.image_folders import (
    REDRAWN,
    SAME_BYTES,
    ImageLayout,
    find_layout,
)
from engine.data.user.near_copies import find_near_copies
from engine.data.user.wording import are

ALL_FORMATS = (*FORMATS, "TIFF", "PPM")
LEAST = 2  # different images of a class
WHITES = (1.0, 255.0, 1023.0, 4095.0, 16383.0, 65535.0)  # of 8, 10, 12, … bits
_DARK, _NAMED = 16, 5


class ImageChoices(NamedTuple):
    """What the user wants of images.

    Args:
        leave_out: Whether damaged files and classes with too few images are left out.
        drop_copies: Whether near copies within a class are left out.
    """

    leave_out: bool = False
    drop_copies: bool = False


@dataclass(frozen=True)
class PreparedImages:
    """The archive that runs refer to, and what was kept of the user's.

    Args:
        archive: The archive to store.
        remarks: What was left out or changed, one sentence each.
        summary: What was kept, such as "7 of 8 classes, 70 of 80 images".
        changed: Whether the archive is another than the user's.
    """

    archive: ImageArchive
    remarks: tuple[str, ...]
    summary: str
    changed: bool


def prepare_images(
    data: bytes, choices: ImageChoices | None = None, limit: int = LIMIT
) -> PreparedImages:
    """Prepare an archive for runs.

    Args:
        data: The archive's bytes.
        choices: What to do with it.
        limit: The most bytes that it may have.

    Raises:
        Refused: If anything is wrong; all bad files are named at once.
    """
    return _prepare(list_archive(data, limit), choices or ImageChoices())


def prepare_image_path(
    path: Path, choices: ImageChoices | None = None
) -> PreparedImages:
    """Prepare an archive or a folder named on the command line.

    Args:
        path: A ZIP file, or a folder with a folder per class.
        choices: What to do with it.

    Raises:
        Refused: If it cannot be read, or its contents are invalid.
    """
    try:
        if path.is_dir():
            return _prepare(list_folder(path), choices or ImageChoices())
        size = path.stat().st_size
        if size > LIMIT:
            raise Refused(f"{path.name} has {size:,} bytes; at most {LIMIT:,} are read")
        return prepare_images(path.read_bytes(), choices)
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise Refused(f"{path.name} cannot be read: {reason}") from None


class _Decoded(NamedTuple):
    """An image of a class, decoded."""

    file: ImageFile
    drawing: DecodedImage


def _prepare(found: FileList, choices: ImageChoices) -> PreparedImages:
    layout = find_layout(found)
    total = sum(map(len, layout.classes.values()))
    many = len(layout.classes)
    if total > IMAGES:
        raise Refused(f"there are {total:,} images; at most {IMAGES:,} are read")
    if many > CLASSES:
        raise Refused(f"there are {many:,} classes; at most {CLASSES:,} are read")
    classes, bad = _decode(layout)
    remarks = [*found.remarks, *layout.remarks]
    if bad:
        remarks.append(_settle_bad(bad, total, choices))
    classes, dark = _brighten(classes)
    copies = find_near_copies(
        {n: np.stack([d.drawing.pixels for d in i]) for n, i in classes.items() if i}
    )
    remarks += dark.remarks
    remarks += _describe_copies(copies, classes, choices)
    if choices.drop_copies:
        classes = {
            name: [image for at, image in enumerate(images) if at not in copies[name]]
            if name in copies
            else images
            for name, images in classes.items()
        }
    small = _small_classes(classes)
    if small:
        remarks.append(_settle_small(small, choices))
        classes = {n: images for n, images in classes.items() if n not in small}
    if len(classes) < 2:
        raise Refused(
            f"{('no class', 'only one class')[len(classes)]} has enough images; at "
            "least 2 folders of images are needed"
        )
    kept = sum(map(len, classes.values()))
    same = layout.plain and kept == total and not dark.white and bool(found.data)
    same = same and not _has_other_kinds(classes) and not found.remarks
    archive = read_images(found.data if same else _pack(classes, layout.pools, dark))
    summary = (
        f"{len(archive.names):,} of {many:,} classes, {len(archive.labels):,} of "
        f"{total:,} images"
    )
    told = [*remarks, *(w for w in archive.warnings if "not images" not in w)]
    return PreparedImages(archive, tuple(told), summary, not same)


def _decode(layout: ImageLayout) -> tuple[dict[str, list[_Decoded]], dict[str, str]]:
    """Decode all images; return those that can be, and why the others cannot."""
    classes: dict[str, list[_Decoded]] = {}
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
            classes[name].append(_Decoded(file, drawing))
    return classes, bad


def _settle_bad(bad: dict[str, str], total: int, choices: ImageChoices) -> str:
    """Return a remark on files that cannot be read.

    Raises:
        Refused: If they are not to be left out.
    """
    listed = ", ".join(repr(clean(name)[-40:]) for name in list(bad)[:_NAMED])
    more = f" and {len(bad) - _NAMED:,} more" if len(bad) > _NAMED else ""
    text = f"{len(bad):,} of {total:,} images cannot be read: {listed}{more}"
    if choices.leave_out:
        return f"{text}; they are left out"
    first = next(iter(bad.values()))
    why = f" ({first})" if len(bad) == 1 and "cannot be read" not in first else ""
    raise Refused(f"{text}{why}; replace them, or leave them out", "leave_out")


class _Dark(NamedTuple):
    """What is done about images that use a small part of their range."""

    white: float
    remarks: list[str]


def _brighten(
    classes: dict[str, list[_Decoded]],
) -> tuple[dict[str, list[_Decoded]], _Dark]:
    """Scale images of more than 8 bits by the range that all of them use."""
    every = [image for images in classes.values() for image in images]
    peak = max((image.drawing.peak for image in every), default=0.0)
    white = next((w for w in WHITES if peak <= w), peak)
    if not peak or white == WHITES[-1]:
        brightest = max((int(i.drawing.pixels.max()) for i in every), default=255)
        told = []
        if brightest < _DARK:
            told.append(f"all images are dark: no pixel is above {brightest} of 255")
        return classes, _Dark(0.0, [])._replace(remarks=told) if told else _Dark(
            0.0, []
        )
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
    return scaled, _Dark(white, [remark])


def _describe_copies(
    copies: dict[str, dict[int, int]],
    classes: dict[str, list[_Decoded]],
    choices: ImageChoices,
) -> Iterator[str]:
    count = sum(map(len, copies.values()))
    if not count:
        return
    name, pairs = next(iter(copies.items()))
    one, two = next((b, a) for a, b in pairs.items())
    files = [classes[name][at].file.name for at in (one, two)]
    shown = " and ".join(repr(clean(f)[-40:]) for f in files)
    text = f"{are(count, 'image')} near copies within their class, such as {shown}"
    if choices.drop_copies:
        yield f"{text}; they are left out"
    else:
        yield f"{text}; a query may have its copy in the support: leave them out"


def _small_classes(classes: dict[str, list[_Decoded]]) -> dict[str, int]:
    """Return the classes with too few different images, and how many they have."""
    counts = {
        name: len({image.drawing.pixels.tobytes() for image in images})
        for name, images in classes.items()
    }
    return {name: count for name, count in counts.items() if count < LEAST}


def _settle_small(small: dict[str, int], choices: ImageChoices) -> str:
    listed = ", ".join(f"{n[:40]!r} with {c}" for n, c in list(small.items())[:_NAMED])
    more = f" and {len(small) - _NAMED:,} more" if len(small) > _NAMED else ""
    noun = "class has" if len(small) == 1 else "classes have"
    text = f"{len(small):,} {noun} fewer than {LEAST} different images: {listed}{more}"
    if choices.leave_out:
        return f"{text}; left out"
    raise Refused(f"{text}; add images, or leave these classes out", "leave_out")


def _has_other_kinds(classes: dict[str, list[_Decoded]]) -> bool:
    other = (*SAME_BYTES, *REDRAWN)
    return any(
        image.file.name.lower().endswith(other)
        for images in classes.values()
        for image in images
    )


def _pack(
    classes: dict[str, list[_Decoded]], pools: dict[str, str], dark: _Dark
) -> bytes:
    """Return a plain archive: a folder per class, within its pool if there are any."""
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


def _stored_image(image: _Decoded, dark: _Dark) -> tuple[bytes, str]:
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


def preview_rows(archive: ImageArchive) -> Sequence[tuple[str, int, str]]:
    """Return name, number of images and pool of each class, for a table."""
    counts = archive.counts().tolist()
    pools = archive.pools or ("",) * len(counts)
    return list(zip(archive.names, counts, pools, strict=True))
