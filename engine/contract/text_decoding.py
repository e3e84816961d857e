"""Decoding the user's text files, and cleaning names of invisible characters.

Windows PowerShell 5 and older Notepads write UTF-16 without being asked.
"""

import codecs

from engine.contract.errors import Refused

# UTF-32 first, as its byte-order mark begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
TEXT_LIMIT = 120  # characters of a name
_LOOK = 4096  # first bytes, from which an encoding without a mark is guessed


def as_utf8(data: bytes) -> bytes:
    """Return a text file's bytes in UTF-8; all but UTF-16 and UTF-32 stay as they are.

    Raises:
        Refused: If the file begins as UTF-16 or UTF-32 but cannot be decoded.

    >>> as_utf8("a,b".encode("utf-16")), as_utf8("a,b".encode("utf-16-be"))
    (b'a,b', b'a,b')
    """
    codec = next((c for mark, c in _MARKS.items() if data.startswith(mark)), None)
    codec = codec or _guess_utf16(data[:_LOOK])
    if codec is None:
        return data
    try:
        return data.decode(codec).encode()
    except UnicodeError:
        name = codec[:6].upper()
        cut = len(data) % (int(name[-2:]) // 8)
        what = "is cut in the middle of a character" if cut else "is damaged"
        raise Refused(
            f"this file begins as {name} text, but {what}; save it as UTF-8"
        ) from None


def as_text(data: bytes) -> str:
    """Return the text of a file, without its byte-order mark.

    Raises:
        Refused: If it is not Unicode text.
    """
    try:
        return as_utf8(data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(
            f"this is not UTF-8 text: see line {line}; save it as UTF-8"
        ) from None


def _guess_utf16(start: bytes) -> str | None:
    """Return the UTF-16 codec of a text without a mark: every second byte is 0."""
    first, second = start[0::2], start[1::2]
    for codec, zeros, letters in (
        ("utf-16-le", second, first),
        ("utf-16-be", first, second),
    ):
        mostly = zeros.count(0) * 2 > len(zeros)
        if mostly and 0 not in letters and zeros[:1] == b"\0":
            return codec
    return None


def clean(text: str, limit: int = TEXT_LIMIT) -> str:
    r"""Return one line without control, zero-width and bidi characters, cut to a limit.

    >>> clean("a\u202eb\x00")
    'ab'
    """
    kept = "".join(c for c in text if c.isprintable() and not _is_invisible(c))
    return kept.strip()[:limit]


def _is_invisible(char: str) -> bool:
    return char in "\u200b\u200c\u200d\u2060\ufeff" or "\u202a" <= char <= "\u202e"
