"""Storage of the user's image archives."""

from functools import lru_cache

from engine.data.user.csv_store import own_path, read_own_bytes, store_bytes
from engine.data.user.image_archives import ImageArchive, read_images

ARCHIVE = ".zip"


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
