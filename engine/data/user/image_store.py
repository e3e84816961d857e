"""Storage of the user's image archives; folders are packed into archives first."""

import io
import zipfile
from functools import lru_cache
from pathlib import Path

from engine.contract.errors import Refused
from engine.data.user.csv_store import own_path, read_own_bytes, store_bytes
from engine.data.user.image_archives import (
    IMAGES,
    KINDS,
    LIMIT,
    ImageArchive,
    read_images,
)

ARCHIVE = ".zip"


def pack_folder(home: Path) -> bytes:
    """Pack a folder of class folders into an archive, reproducibly.

    Args:
        home: The folder.

    Returns:
        The archive's bytes; equal files give equal bytes.

    Raises:
        Refused: If it cannot be read, or is too large.
    """
    packed, total = io.BytesIO(), 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for path in _image_paths(home):
            total += path.stat().st_size
            if total > LIMIT:
                raise Refused(f"{home.name} has more than {LIMIT:,} bytes of images")
            name = path.relative_to(home).as_posix()
            # ZipInfo has a fixed date: the digest depends on contents alone.
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes())
    return packed.getvalue()


def read_image_path(path: Path) -> ImageArchive:
    """Read an archive or a folder named on the command line.

    Args:
        path: A ZIP file, or a folder of class folders.

    Raises:
        Refused: If it cannot be read, or its contents are invalid.
    """
    try:
        if path.is_dir():
            return read_images(pack_folder(path))
        size = path.stat().st_size
        if size > LIMIT:
            raise Refused(f"{path.name} has {size:,} bytes; at most {LIMIT:,} are read")
        return read_images(path.read_bytes())
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        raise Refused(f"{path.name} cannot be read: {reason}") from None


def _image_paths(home: Path) -> list[Path]:
    """Return the images in the class folders, sorted; links are not followed."""
    found = []
    for folder in sorted(home.iterdir()):
        if folder.is_symlink() or not folder.is_dir():
            continue
        for path in sorted(folder.iterdir()):
            plain = path.is_file() and not path.is_symlink()
            if plain and path.suffix.lower() in KINDS:
                found.append(path)
    if len(found) > IMAGES:
        raise Refused(f"{home.name} has {len(found):,} images; at most {IMAGES:,}")
    return found


def store_images(found: ImageArchive) -> str:
    """Store an archive; return its SHA-256.

    Raises:
        Refused: If it cannot be written.
    """
    store_bytes(own_path(found.digest, ARCHIVE), found.data)
    return found.digest


@lru_cache(maxsize=2)
def load_own_images(digest: str) -> ImageArchive:
    """Return a stored archive with its images.

    Args:
        digest: SHA-256 of the archive.

    Raises:
        Refused: If it is not stored, or is damaged.
    """
    return read_images(read_own_bytes(digest, ARCHIVE))
