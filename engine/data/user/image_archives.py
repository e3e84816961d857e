"""The user's images: a ZIP archive with one folder of images per class.

The archive is stored unchanged, under its SHA-256. Members are read in memory, with
their sizes checked before they are decoded; nothing is extracted to disk.
"""

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean
from engine.data.sources.checksums import sha256
from engine.data.user.class_splits import POOLS
from engine.data.user.image_decoding import DecodedImage, decode_gray
from engine.data.user.wording import are

# Bounds against zip bombs, on memory and on time.
LIMIT, MEMBER = 100_000_000, 20_000_000  # bytes: of the archive, of a member
MEMBERS, IMAGES, CLASSES = 50_000, 20_000, 1_000
PIXELS = 2_000_000_000  # in all images together, before they are scaled down
SIDE = 28
KINDS = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError)


@dataclass(frozen=True, eq=False)
class ImageArchive:
    """A valid archive, with its images decoded.

    Args:
        digest: SHA-256 of the archive's bytes.
        names: Names of the classes, sorted.
        images: Gray, 255 is white, all scaled to one size; uint8, shape (image, 28,
            28).
        labels: Class index of each image; shape (image,).
        warnings: Remarks for the user, one sentence each.
        data: The archive's bytes.
        pools: The pool of each class, where folders train, validation and test are
            around them; empty otherwise.
    """

    digest: str
    names: tuple[str, ...]
    images: np.ndarray
    labels: np.ndarray
    warnings: tuple[str, ...]
    data: bytes = field(repr=False)
    pools: tuple[str, ...] = ()

    def counts(self) -> np.ndarray:
        """Return the number of images per class; shape (class,)."""
        return np.bincount(self.labels, minlength=len(self.names))


def read_images(data: bytes, limit: int = LIMIT) -> ImageArchive:
    """Read an archive of class folders.

    Args:
        data: The archive's bytes.
        limit: The most bytes that an archive may have.

    Returns:
        The decoded archive, without duplicates within a class.

    Raises:
        Refused: If anything is wrong; the sentence names the member.
    """
    archive = open_archive(data, limit)
    with archive:
        try:
            listed = _check_members(archive.infolist())
            files, others, pool_of = _sort_members(listed)
            names = tuple(sorted({shown for shown, _ in files}))
            _check_classes(names, files)
            drawn = list(_decode_images(archive, [info for _, info in files]))
        except RuntimeError:  # zipfile raises it for members with a password
            raise Refused(
                "this archive is encrypted; pack it without a password"
            ) from None
    labels = np.array([names.index(shown) for shown, _ in files])
    images, sizes = np.stack([d.pixels for d in drawn]), {d.size for d in drawn}
    kept = _distinct_indices(images, labels)
    remarks = _warnings(len(files) - len(kept), sizes, others, images[kept])
    images, labels = images[kept], labels[kept]
    _check_counts(names, np.bincount(labels, minlength=len(names)))
    pools = tuple(pool_of[name] for name in names) if pool_of else ()
    return ImageArchive(sha256(data), names, images, labels, remarks, data, pools)


def _decode_images(
    archive: zipfile.ZipFile, members: Sequence[zipfile.ZipInfo]
) -> Iterator[DecodedImage]:
    """Yield the decoded images; refuse the archive once they have too many pixels."""
    total = 0
    for info in members:
        drawing = decode_gray(read_member(archive, info), info.filename, SIDE)
        total += drawing.size[0] * drawing.size[1]
        if total > PIXELS:
            raise Refused(f"this archive has more than {PIXELS:,} pixels in all")
        yield drawing


def open_archive(data: bytes, limit: int) -> zipfile.ZipFile:
    """Open an archive in memory.

    Raises:
        Refused: If it is too large, or no ZIP archive.
    """
    if not data:
        raise Refused("this archive is empty: it has 0 bytes")
    if len(data) > limit:
        raise Refused(
            f"this archive has {len(data):,} bytes; at most {limit:,} are read"
        )
    # zipfile would also accept a program with an archive at its end.
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise Refused(
            "this file is not a ZIP archive; pack one with a folder of images for each "
            "class"
        )
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except DAMAGED:
        raise Refused(
            "this archive is damaged: its table of contents is truncated"
        ) from None


def _check_members(members: Sequence[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Return the members that are files; refuse paths, links and sizes that harm."""
    if len(members) > MEMBERS:
        raise Refused(
            f"this archive has {len(members):,} members; at most {MEMBERS:,} are read"
        )
    seen: set[str] = set()
    for info in members:
        name = clean(info.filename)[:60]
        path = PurePosixPath(info.filename)
        if path.is_absolute() or ".." in path.parts or "\\" in info.orig_filename:
            raise Refused(f"member {name!r} has a path outside the archive")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Refused(f"member {name!r} is a link; pack the files themselves")
        if info.filename in seen:
            raise Refused(f"member {name!r} occurs twice")
        if info.file_size > MEMBER:
            raise Refused(
                f"member {name!r} has {info.file_size:,} bytes; at most {MEMBER:,}"
            )
        seen.add(info.filename)
    return [info for info in members if not info.is_dir()]


def _sort_members(
    members: Sequence[zipfile.ZipInfo],
) -> tuple[list[tuple[str, zipfile.ZipInfo]], list[str], dict[str, str]]:
    """Return (class, member) of the images, sorted, other files, and class to pool."""
    paths = {info.filename: PurePosixPath(info.filename).parts for info in members}
    seen = [info for info in members if not is_hidden(paths[info.filename])]
    images = [i for i in seen if i.filename.lower().endswith(KINDS)]
    others = [i.filename for i in seen if not i.filename.lower().endswith(KINDS)]
    if not images:
        listed = ", ".join(kind[1:].upper() for kind in KINDS)
        raise Refused(f"this archive has no images; it may have {listed}")
    if len(images) > IMAGES:
        raise Refused(
            f"this archive has {len(images):,} images; at most {IMAGES:,} are read"
        )
    every = [paths[info.filename] for info in images]
    pool_of = _pools(every)
    depth = 1 if pool_of else _shared_depth(every)
    for info in images:
        if len(paths[info.filename]) - depth != 2:
            raise Refused(
                f"{clean(info.filename)[:60]!r} is not in a class folder; the archive "
                "must have one folder of images for each class"
            )
    # The order of an archive is accidental; labels must not depend on it.
    images.sort(key=lambda info: info.filename)
    named = [(clean(paths[info.filename][depth]), info) for info in images]
    return named, others, pool_of


def _pools(paths: Sequence[tuple[str, ...]]) -> dict[str, str]:
    """Return the pool of each class, if all lie in folders of that name.

    Raises:
        Refused: If a class lies in two of them.
    """
    first = {path[0] for path in paths}
    if not {"train", "test"} <= first <= set(POOLS) or {len(p) for p in paths} != {3}:
        return {}
    found: dict[str, str] = {}
    for pool, folder, _ in paths:
        name = clean(folder)
        if found.setdefault(name, pool) != pool:
            raise Refused(f"class {name[:40]!r} is in {found[name]} and in {pool}")
    return found


def is_hidden(parts: Sequence[str]) -> bool:
    """Return whether a file is of the operating system, not of the user."""
    junk = ("__MACOSX", "Thumbs.db", "desktop.ini")
    return any(part.startswith(".") or part in junk for part in parts)


def _shared_depth(paths: Sequence[tuple[str, ...]]) -> int:
    """Return the number of folders that enclose all class folders.

    >>> _shared_depth([("all", "a", "1.png"), ("all", "b", "1.png")])
    1
    """
    depth = 0
    while all(len(p) > depth + 2 and p[depth] == paths[0][depth] for p in paths):
        depth += 1
    return depth


def _check_classes(
    names: Sequence[str], files: Sequence[tuple[str, zipfile.ZipInfo]]
) -> None:
    if len(names) < 2:
        raise Refused(
            f"this archive has one class, {names[0][:40]!r}, with {len(files):,} "
            "images; at least 2 folders of images are needed"
        )
    if len(names) > CLASSES:
        raise Refused(
            f"this archive has {len(names):,} classes; at most {CLASSES:,} are read"
        )
    folders = {(shown, PurePosixPath(info.filename).parent) for shown, info in files}
    # `clean` removes invisible characters, so two paths can show one name.
    if len(folders) > len(names):
        raise Refused("two folders have names that look the same; rename one")


def _check_counts(names: Sequence[str], counts: np.ndarray) -> None:
    least = int(counts.argmin())
    if counts[least] < 2:
        raise Refused(
            f"class {names[least][:40]!r} has {counts[least]} image; each class needs "
            "at least 2 different images"
        )


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return a member's bytes; its header may lie about their number."""
    name = clean(info.filename)[:60]
    try:
        with archive.open(info) as member:
            data = member.read(MEMBER + 1)
    except DAMAGED:
        raise Refused(f"member {name!r} is damaged") from None
    if len(data) > MEMBER:
        raise Refused(f"member {name!r} has more than {MEMBER:,} bytes")
    return data


def _distinct_indices(images: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the indices of the images without duplicates within their class."""
    seen: dict[tuple[int, bytes], int] = {}
    for at, (image, label) in enumerate(zip(images, labels, strict=True)):
        seen.setdefault((int(label), image.tobytes()), at)
    return np.array(list(seen.values()))


def _warnings(
    copies: int, sizes: set[tuple[int, int]], others: Sequence[str], images: np.ndarray
) -> tuple[str, ...]:
    return tuple(_warning_lines(copies, sorted(sizes), others, images))


def _warning_lines(
    copies: int,
    sizes: Sequence[tuple[int, int]],
    others: Sequence[str],
    kept: np.ndarray,
) -> Iterator[str]:
    if copies:
        yield f"{are(copies, 'image')} left out: the class has the same image already"
    if len({image.tobytes() for image in kept}) < len(kept):
        yield "some images occur in two classes"
    if len(sizes) > 1:
        small, large = (f"{w} × {h}" for w, h in (sizes[0], sizes[-1]))
        yield (
            f"images have {len(sizes):,} sizes, from {small} to {large}; all are "
            f"scaled to {SIDE} × {SIDE}"
        )
    if others:
        yield (
            f"{len(others):,} files are not images and are ignored, such as "
            f"{clean(others[0])[:60]!r}"
        )
