"""The files of a user's folder or ZIP archive, listed alike before any is decoded.

Nothing is extracted; what could harm is refused, whatever program packed it.
"""

import os
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean
from engine.data.user.image_archives import (
    LIMIT,
    MEMBER,
    MEMBERS,
    is_hidden,
    open_archive,
    read_member,
)

_UTF8 = 0x800  # flag of a member whose name is UTF-8


class ImageFile(NamedTuple):
    """A file that may be an image.

    Args:
        path: Its folders and its name.
        size: Number of bytes.
        read: Returns them.
    """

    path: tuple[str, ...]
    size: int
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """The path as text."""
        return "/".join(self.path)


@dataclass(frozen=True)
class FileList:
    """The files of a folder or an archive, sorted by path.

    Args:
        files: The files, without those of the operating system.
        remarks: What was done about names and links, one sentence each.
        data: The archive's bytes, where it is one; empty for a folder.
        folders: All folders, whether they have files or not.
    """

    files: tuple[ImageFile, ...]
    remarks: tuple[str, ...]
    data: bytes
    folders: frozenset[tuple[str, ...]] = frozenset()


def list_archive(data: bytes, limit: int = LIMIT) -> FileList:
    """List the files of an archive.

    Args:
        data: The archive's bytes.
        limit: The most bytes that it may have.

    Raises:
        Refused: If it is no ZIP archive, or a member could harm.
    """
    archive = open_archive(data, limit)
    members = archive.infolist()
    if len(members) > MEMBERS:
        raise Refused(
            f"this archive has {len(members):,} members; at most {MEMBERS:,} are read"
        )
    files, seen, folders = [], set(), set()
    renamed = slashes = 0
    for info in members:
        plain = _utf8_name(info)
        renamed += plain != info.orig_filename.split("\0")[0]
        slashes += "\\" in plain
        name = plain.replace("\\", "/")
        path = _member_path(name, info)
        if name in seen:
            raise Refused(f"member {clean(name)[:60]!r} occurs twice")
        seen.add(name)
        if name.endswith("/"):
            folders.add(path)
        elif path and not is_hidden(path):
            folders.add(path[:-1])
            files.append(ImageFile(path, info.file_size, _reader(archive, info)))
    remarks = []
    if slashes:
        remarks.append(f"{slashes:,} names have backslashes; they are read as folders")
    if renamed:
        remarks.append(f"{renamed:,} names are not marked as UTF-8, but are read so")
    files.sort(key=lambda each: each.path)
    return FileList(tuple(files), tuple(remarks), data, frozenset(folders))


def _utf8_name(info: zipfile.ZipInfo) -> str:
    """Return a member's name; macOS writes UTF-8 without saying so."""
    name = info.orig_filename.split("\0")[0]
    if info.flag_bits & _UTF8:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _is_drive(folder: str) -> bool:
    """Whether the first part of a path is a drive of Windows, such as `C:`."""
    return len(folder) == 2 and folder[0].isalpha() and folder[1] == ":"


def _member_path(name: str, info: zipfile.ZipInfo) -> tuple[str, ...]:
    """Return a member's folders and name.

    Raises:
        Refused: If it leaves the archive, is a link, or is too large.
    """
    shown = clean(name)[:60]
    path = tuple(part for part in name.split("/") if part not in ("", "."))
    if name.startswith("/") or ".." in path or (path and _is_drive(path[0])):
        raise Refused(f"member {shown!r} has a path outside the archive")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Refused(f"member {shown!r} is a link; pack the files themselves")
    if info.file_size > MEMBER:
        raise Refused(
            f"member {shown!r} has {info.file_size:,} bytes; at most {MEMBER:,}"
        )
    return path


def _reader(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return read_member(archive, info)
        except RuntimeError:  # zipfile raises it for members with a password
            raise Refused(
                "this archive is encrypted; pack it without a password", "archive"
            ) from None

    return read


def list_folder(home: Path) -> FileList:
    """List the files of a folder; links of the user are followed, and named.

    Args:
        home: The folder.

    Raises:
        Refused: If there are too many files or bytes.
        OSError: If a folder cannot be read.
    """
    files, links, total = [], [], 0
    folders: set[tuple[str, ...]] = set()
    for path, linked in _walk(home, home, frozenset()):
        parts = path.relative_to(home).parts
        if is_hidden(parts):
            continue
        if linked:
            links.append("/".join(parts))
        if path.is_dir():
            folders.add(parts)
            continue
        size = path.stat().st_size
        total += size
        files.append(ImageFile(parts, size, path.read_bytes))
        if len(files) > MEMBERS:
            raise Refused(f"{home.name} has more than {MEMBERS:,} files")
        if size > MEMBER:
            raise Refused(
                f"{'/'.join(parts)[-60:]!r} has {size:,} bytes; at most {MEMBER:,}"
            )
        if total > LIMIT:
            raise Refused(f"{home.name} has more than {LIMIT:,} bytes")
    shown = [f"links are followed, such as {clean(links[0])[:60]!r}"] if links else []
    files.sort(key=lambda each: each.path)
    return FileList(tuple(files), tuple(shown), b"", frozenset(folders))


def _walk(
    folder: Path, home: Path, above: frozenset[str]
) -> Iterator[tuple[Path, bool]]:
    """Yield the files and folders below a folder, and whether each is a link."""
    real = os.path.realpath(folder)
    if real in above:
        raise Refused(f"{folder.relative_to(home)} is a link to a folder around it")
    for path in sorted(folder.iterdir()):
        linked = path.is_symlink()
        if path.is_dir():
            yield path, linked
            yield from _walk(path, home, above | {real})
        elif path.is_file():
            yield path, linked


def list_names(path: Path) -> tuple[str, ...]:
    """Return the names of the files in a folder or an archive, without reading them.

    Args:
        path: A folder, a ZIP archive, or another file, which is its own only name.
    """
    try:
        if path.is_dir():
            return tuple(found.name for found, _ in _walk(path, path, frozenset()))
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                names = tuple(archive.namelist())
            # A workbook or a document is an archive, too, and may hold pictures.
            office = {"[Content_Types].xml", "content.xml"} & set(names)
            return () if office else names
    except (OSError, Refused, zipfile.BadZipFile, NotImplementedError, ValueError):
        return ()
    return (path.name,)
