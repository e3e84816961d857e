"""Reader of Omniglot's original ZIP archives: PNG files, one folder per character.

Members are read in memory and never unpacked to disk; anything unexpected is refused
in one sentence.
"""

import io
import re
import stat
import warnings
import zipfile
import zlib
from typing import NamedTuple

import numpy as np
from PIL import Image

from engine.contract.errors import Refused
from engine.contract.text_decoding import clean

# Bounds against zip bombs, well above what the real archives have.
BYTES, MEMBERS, MEMBER, UNPACKED = 50_000_000, 40_000, 20_000, 100_000_000
PIXELS, SIDE, DRAWERS = 105, 28, 20

# At most one root folder, then alphabet/character/number_writer.png.
_DRAWING = re.compile(
    r"(?:[A-Za-z]\w*/)?(?P<alphabet>[A-Za-z][\w()-]*)/(?P<character>character\d{2})/"
    r"\d{4}_(?P<drawer>\d{2})\.png",
    re.ASCII,
)
_FOLDER = re.compile(r"(?:[A-Za-z][\w()-]*/){1,3}", re.ASCII)
# All that zipfile and Pillow raise on damaged or malicious bytes.
_READING = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    SyntaxError,
    MemoryError,
    OverflowError,
    RecursionError,
    Image.DecompressionBombError,
)
_DARK = [255 - level for level in range(256)]  # the files have black ink on white


class DrawingArchive(NamedTuple):
    """The characters of one archive, ordered by alphabet and number.

    Args:
        images: uint8, ink bright; shape (character, writer, 28, 28).
        alphabet: Name of each character's alphabet.
        number: Number of each character in its alphabet, from 1.
    """

    images: np.ndarray
    alphabet: tuple[str, ...]
    number: tuple[int, ...]


DrawingIndex = dict[tuple[str, str], dict[int, zipfile.ZipInfo]]


def read_drawings(data: bytes) -> DrawingArchive:
    """Read one of the archives.

    Args:
        data: The bytes of the ZIP file.

    Raises:
        Refused: If it is not such an archive; the message names the member.
    """
    if len(data) > BYTES:
        raise Refused(
            f"this archive has {len(data):,} bytes; at most {BYTES:,} are read"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read_archive(archive)
    except Refused:
        raise
    except _READING as error:
        raise Refused(
            f"this is not a readable ZIP archive, or it is truncated: {_reason(error)}"
        ) from None


def _reason(error: BaseException) -> str:
    return clean(str(error).partition("\n")[0])[:80] or type(error).__name__


def _read_archive(archive: zipfile.ZipFile) -> DrawingArchive:
    places = _index_drawings(archive.infolist())
    keys = sorted(places)
    if len(keys) < 2:
        found = f"only {'/'.join(keys[0])}" if keys else "no drawings"
        raise Refused(f"this archive holds {found}; at least 2 characters are needed")
    images = np.stack([_read_character(archive, key, places[key]) for key in keys])
    numbers = tuple(int(character.removeprefix("character")) for _, character in keys)
    return DrawingArchive(images, tuple(alphabet for alphabet, _ in keys), numbers)


def _read_character(
    archive: zipfile.ZipFile, key: tuple[str, str], drawn: dict[int, zipfile.ZipInfo]
) -> np.ndarray:
    """Return all drawings of one character; shape (writer, 28, 28)."""
    if sorted(drawn) != list(range(1, DRAWERS + 1)):
        raise Refused(
            f"{'/'.join(key)} has {len(drawn)} drawings; each character must have "
            f"{DRAWERS}, numbered 01 to {DRAWERS}"
        )
    return np.stack([_read_image(archive, drawn[drawer]) for drawer in sorted(drawn)])


def _index_drawings(listed: list[zipfile.ZipInfo]) -> DrawingIndex:
    """Index the drawings by (alphabet, character), then writer; refuse all else."""
    total = sum(info.file_size for info in listed)
    if len(listed) > MEMBERS or total > UNPACKED:
        raise Refused(
            f"this archive unpacks to {len(listed):,} members of {total:,} bytes; at "
            f"most {MEMBERS:,} of {UNPACKED:,} are read"
        )
    places: DrawingIndex = {}
    for info in listed:
        found = _DRAWING.fullmatch(info.filename)
        if found is None:
            _check_folder(info)
            continue
        _check_member(info)
        drawn = places.setdefault((found["alphabet"], found["character"]), {})
        if int(found["drawer"]) in drawn:
            raise Refused(f"this archive holds {info.filename!r} twice")
        drawn[int(found["drawer"])] = info
    return places


def _check_folder(info: zipfile.ZipInfo) -> None:
    if not _FOLDER.fullmatch(info.filename):
        raise Refused(
            f"this archive holds {clean(info.filename)[:60]!r}, which is no drawing: "
            "names must be like alphabet/character01/0001_01.png"
        )


def _check_member(info: zipfile.ZipInfo) -> None:
    if info.flag_bits & 0x1:
        raise Refused(f"{info.filename!r} in this archive is encrypted")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Refused(f"{info.filename!r} in this archive is a link")
    if info.file_size > MEMBER:
        raise Refused(
            f"{info.filename!r} has {info.file_size:,} bytes; a drawing has at most "
            f"{MEMBER:,}"
        )


def _read_image(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray:
    """Read a drawing as 28 × 28 pixels, ink bright."""
    try:
        with archive.open(info) as member:
            # Bounded again: the size in the header may be a lie.
            data = member.read(MEMBER + 1)
        return _decode_averaged(data, info.filename)
    except Refused:
        raise
    except _READING as error:
        raise Refused(
            f"{info.filename!r} in this archive cannot be read as an image: "
            f"{_reason(error)}"
        ) from None


def _decode_averaged(data: bytes, name: str) -> np.ndarray:
    # A wrong size is refused below; Pillow need not warn of it before.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(data), formats=("PNG",))
    if image.size != (PIXELS, PIXELS) or image.mode not in ("1", "L"):
        width, height = image.size
        raise Refused(
            f"{name!r} in this archive has {width} × {height} pixels in mode "
            f"{image.mode}; a drawing has {PIXELS} × {PIXELS}, black on white"
        )
    ink = image.convert("L").point(_DARK)
    return np.asarray(ink.resize((SIDE, SIDE), Image.Resampling.BOX))
