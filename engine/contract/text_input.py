"""Text that people give: files in any Unicode encoding, and names without odd marks.

Windows PowerShell 5 and Notepad write UTF-16 where nobody asks for it.
"""

import codecs

from engine.contract.errors import Refused

# The mark of UTF-32 begins with that of UTF-16, so it is looked for first.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
TEXT_LIMIT = 120  # characters of a name
_LOOK = 4096  # bytes that decide where there is no mark


def as_utf8(data: bytes) -> bytes:
    """Return a text file's bytes in UTF-8; what is no UTF-16 or UTF-32 stays as it is.

    Raises:
        Refused: If it begins as such a text and cannot be read as one.

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
    """Return the text of a file, without the mark of its encoding.

    Raises:
        Refused: If it is no Unicode text.
    """
    try:
        return as_utf8(data).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(
            f"this is not UTF-8 text: see line {line}; save it as UTF-8"
        ) from None


def _guess_utf16(start: bytes) -> str | None:
    """Return the UTF-16 that an unmarked text is in: every second byte is 0."""
    first, second = start[0::2], start[1::2]
    for codec, zeros, letters in (
        ("utf-16-le", second, first),
        ("utf-16-be", first, second),
    ):
        mostly = zeros.count(0) * 2 > len(zeros)
        if mostly and 0 not in letters and zeros[:1] == b"\0":
            return codec
    return None


def clean(text: str) -> str:
    r"""Strip what has no business in a name: control, zero-width, bidi marks.

    >>> clean("a\u202eb\x00")
    'ab'
    """
    kept = "".join(c for c in text if c.isprintable() and not _is_invisible(c))
    return kept.strip()[:TEXT_LIMIT]


def _is_invisible(char: str) -> bool:
    return char in "\u200b\u200c\u200d\u2060\ufeff" or "\u202a" <= char <= "\u202e"
