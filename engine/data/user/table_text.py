"""The text of a user's table, from bytes of any usual encoding."""

import re
from typing import NamedTuple

from engine.contract.errors import Refused
from engine.contract.text_decoding import as_utf8
from engine.data.user.arff import arff_as_csv, is_arff
from engine.data.user.csv_reader import LIMIT, text_bytes

# By the name that the user chooses; Python's name is that of the codec.
ENCODINGS = {
    "Windows-1252": "cp1252",
    "Windows-1250": "cp1250",
    "Windows-1251": "cp1251",
    "Windows-1253": "cp1253",
    "Windows-1254": "cp1254",
    "Shift-JIS": "cp932",
    "EUC-JP": "euc_jp",
    "GB18030": "gb18030",
    "Big5": "cp950",
    "EUC-KR": "cp949",
    "KOI8-R": "koi8_r",
    "Mac-Roman": "mac_roman",
    "CP850": "cp850",
}
_MINUS = re.compile(r'(?<![^,;\t|"\r\n])[\u2212\u2013](?=\.?\d)')
_UNICODE = ("utf-8", "utf8", "utf-8-sig", "utf-16", "utf16")
_WORD = re.compile(r"[^\W\d_]+")
_SPARSE = re.compile(r"\S+(?:\s+\d+:\S+){2,}\s*")


class TableText(NamedTuple):
    """The text of a table.

    Args:
        text: The text.
        remarks: What was done to read it, one sentence each.
        guess: The encoding that is guessed; empty where the bytes or the user say it.
    """

    text: str
    remarks: tuple[str, ...]
    guess: str = ""


def decode_table(data: bytes, limit: int = LIMIT, encoding: str = "") -> TableText:
    """Return the text of a table.

    Args:
        data: The file's bytes.
        limit: The most bytes that it may have.
        encoding: One of `ENCODINGS`; empty judges.

    Raises:
        Refused: If it is no text in that encoding, or no table.
    """
    text, guess = _decode(text_bytes(data, limit), encoding)
    remarks = _describe_guess(text, guess)
    if is_arff(text):
        text = arff_as_csv(text)
        remarks.append("the file is ARFF; its attributes are the columns")
    _check_form(text)
    plain, count = _MINUS.subn("-", text)
    if count:
        remarks.append(f"{count:,} minus signs are not hyphens (-), and read as such")
    return TableText(plain, tuple(remarks), guess)


def _decode(data: bytes, encoding: str) -> tuple[str, str]:
    """Return the text, and the encoding if it is a guess."""
    data = as_utf8(data)
    if encoding:
        codec = _find_codec(encoding)
        try:
            return data.decode(codec), ""
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise Refused(f"line {line} is not {encoding}", "encoding") from None
    try:
        return data.decode("utf-8-sig"), ""
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    control = bytes(c for c in range(32) if c not in b"\t\n\r\f")
    if data.translate(None, control) != data:
        raise Refused(f"line {line} is not UTF-8 text; save the file as UTF-8")
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(
            f"line {line} is neither UTF-8 nor Windows-1252; choose its encoding, such "
            "as Shift-JIS or Windows-1251",
            "encoding",
        ) from None
    return text, "Windows-1252"


def _describe_guess(text: str, guess: str) -> list[str]:
    if not guess:
        return []
    words = dict.fromkeys(word for word in _WORD.findall(text) if not word.isascii())
    shown = ", ".join(repr(word[:30]) for word in list(words)[:3])
    return [
        f"the file is not UTF-8; it is read as {guess}, a guess"
        + (f", with words such as {shown}" if shown else "")
        + ": where letters are wrong, choose another encoding"
    ]


def _find_codec(encoding: str) -> str:
    codecs = {name.casefold(): codec for name, codec in ENCODINGS.items()}
    codecs |= dict.fromkeys(_UNICODE, "utf-8-sig")  # UTF-16 is UTF-8 by now
    found = codecs.get(encoding.casefold().replace("_", "-"))
    if found is None:
        raise Refused(
            f"{encoding[:40]!r} is no encoding that is read; choose one of: "
            f"UTF-8, {', '.join(ENCODINGS)}",
            "encoding",
        )
    return found


def _check_form(text: str) -> None:
    """Check that a text is not of a known form that is no table.

    Raises:
        Refused: With the way to a table.
    """
    first = [line for line in text[:100_000].splitlines()[:20] if line.strip()]
    if first and all(_SPARSE.fullmatch(line) for line in first[:-1] or first):
        raise Refused(
            "this file is sparse, as LIBSVM writes it; save all columns, as with "
            "scikit-learn's load_svmlight_file"
        )
    if first and first[0].lstrip().startswith(("{", "[{")) and '":' in text[:2000]:
        raise Refused(
            "this file is JSON; save it as CSV, as with pandas' read_json and to_csv"
        )
