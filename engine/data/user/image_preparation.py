"""From a user's images to the archive that runs refer to, and what is said of them.

An archive that needs no change is stored as it is; any other becomes a plain one.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean
from engine.data.user.class_splits import episode_sizes
from engine.data.user.image_archives import (
    CLASSES,
    IMAGES,
    LIMIT,
    ImageArchive,
    read_images,
)
from engine.data.user.image_brightness import brighten
from engine.data.user.image_files import FileList, list_archive, list_folder
from engine.data.user.image_folders import find_layout
from engine.data.user.loaded_images import LoadedImage, load_images
from engine.data.user.near_copies import find_near_copies
from engine.data.user.plain_archive import has_other_kinds, pack_images
from engine.data.user.wording import are

LEAST = 2  # different images of a class
_NAMED = 5


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


def _prepare(found: FileList, choices: ImageChoices) -> PreparedImages:
    layout = find_layout(found)
    total = sum(map(len, layout.classes.values()))
    many = len(layout.classes)
    if total > IMAGES:
        raise Refused(f"there are {total:,} images; at most {IMAGES:,} are read")
    if many > CLASSES:
        raise Refused(f"there are {many:,} classes; at most {CLASSES:,} are read")
    classes, bad = load_images(layout)
    remarks = [*found.remarks, *layout.remarks]
    if bad:
        remarks.append(_settle_bad(bad, total, choices))
    classes, dark = brighten(classes)
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
    same = same and not has_other_kinds(classes) and not found.remarks
    archive = read_images(
        found.data if same else pack_images(classes, layout.pools, dark)
    )
    summary = (
        f"{len(archive.names):,} of {many:,} classes, {len(archive.labels):,} of "
        f"{total + layout.unused:,} images"
    )
    remarks += _describe_smallest(archive)
    told = [*remarks, *(w for w in archive.warnings if "not images" not in w)]
    return PreparedImages(archive, tuple(told), summary, not same)


def _describe_smallest(archive: ImageArchive) -> list[str]:
    """Return a remark where one class alone makes all tasks smaller."""
    counts = archive.counts().tolist()
    least = min(range(len(counts)), key=counts.__getitem__)
    rest = [count for at, count in enumerate(counts) if at != least]
    if len(rest) < 2:
        return []
    here, without = episode_sizes(counts), episode_sizes(rest)
    if int(without["queries"]) < 2 * int(here["queries"]):
        return []
    return [
        f"the {counts[least]} images of {archive.names[least]!r} make all tasks small: "
        f"{here['shots']} to learn from and {here['queries']} to predict per class; "
        f"without this class it is {without['shots']} and {without['queries']}"
    ]


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


def _describe_copies(
    copies: dict[str, dict[int, int]],
    classes: dict[str, list[LoadedImage]],
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


def _small_classes(classes: dict[str, list[LoadedImage]]) -> dict[str, int]:
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


def preview_rows(archive: ImageArchive) -> Sequence[tuple[str, int, str]]:
    """Return name, number of images and pool of each class, for a table."""
    counts = archive.counts().tolist()
    pools = archive.pools or ("",) * len(counts)
    return list(zip(archive.names, counts, pools, strict=True))
