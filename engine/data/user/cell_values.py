"""How people write numbers, dates and missing values in a table.

A column has one way of writing numbers; it is the first way that fits all its cells.
What fits none is text.
"""

import re
from collections.abc import Collection
from datetime import date

from engine.data.user.columns import NUMBER, parse_number

# Marks of a missing value in any feature, and those that only numbers are mixed with.
_WORDS = """
- -- – . * n.a. n.a none nil missing #na <na> -nan 1.#ind #div/0! #value! #ref! #null!
#num!
"""
MARKS = frozenset(("", "?", "na", "n/a", "nan", "null", "#n/a"))
NUMBER_MARKS = MARKS.union(_WORDS.split())
# In English, German, French, Spanish and Italian, as spreadsheets write them.
_YES = "true yes y t wahr ja vrai oui verdadero sí si vero sì"
_NO = "false no n f falsch nein faux non falso"
TRUE, FALSE = frozenset(_YES.split()), frozenset(_NO.split())
_SPACES = re.compile("[\u00a0\u202f\u2009 '\u2019]")
_WHOLE = re.compile(r"[+-]?\d+", re.ASCII)
_EXPONENT = r"(?:[eE][+-]?\d+)?"
# Each way of writing a number; the first that fits is taken. Below a thousand there is
# no separator to see: 567.50 is in a column of 1,234.50, too.
FORMS = {
    "plain": NUMBER,
    "grouped": re.compile(
        r"[+-]?(?:[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?|\d{0,3}\.\d+)", re.ASCII
    ),
    "comma": re.compile(
        r"[+-]?(?:[1-9]\d{0,2}(?:\.\d{3})+(?:,\d*)?|\d+(?:,\d*)?|,\d+)" + _EXPONENT,
        re.ASCII,
    ),
    "spaced": re.compile(
        "[+-]?(?:[1-9]\\d{0,2}(?:[\u00a0\u202f\u2009 '\u2019]\\d{3})+(?:[.,]\\d*)?"
        "|\\d{0,3}[.,]\\d+)",
        re.ASCII,
    ),
}
_AFFIXES = re.compile(r"([$€£¥]?)\s*(.*?)\s*([%$€£¥]?)", re.DOTALL)
_DATE = re.compile(
    r"(\d{1,4})([-./])(\d{1,2})\2(\d{1,4})"
    r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})[\d.,]*)?\s*([AaPp]\.?[Mm]\.?)?"
    r"\s*(?:[A-Z]{1,5}|[+-]\d{2}:?\d{2}.*)?)?"
)
_MONTHS = "janfebmaraprmayjunjulaugsepoctnovdec"
_NAMED_MONTH = re.compile(
    r"(?:(\d{1,2})[ -./]+)?([A-Za-z]{3,9})\.?[ -./]+(?:(\d{1,2}),?[ ]+)?"
    r"(\d{4})(?=[T ,]|$)"
)
EPOCH = date(1970, 1, 1).toordinal()


def is_mark(cell: str, marks: Collection[str]) -> bool:
    """Return whether a cell stands for a missing value.

    Args:
        cell: The cell.
        marks: Marks of missing values, in lower case.
    """
    return cell.strip().casefold() in marks


def is_chosen_mark(cell: str, marks: Collection[str]) -> bool:
    """Return whether a cell is a mark that the user named: "-999,0" is "-999", too.

    Args:
        cell: The cell.
        marks: The marks, in lower case.

    >>> is_chosen_mark("-999,0", ("-999",)), is_chosen_mark("9", ("-999",))
    (True, False)
    """
    if not marks:
        return False
    text = cell.strip().casefold()
    if text in marks:
        return True
    number = parse_number(text.replace(",", "."))
    return number is not None and any(number == parse_number(m) for m in marks)


def split_affix(cell: str) -> tuple[str, str]:
    """Return a cell without a currency or percent sign, and that sign.

    >>> split_affix("12 %"), split_affix("$1,200"), split_affix("5")
    (('12', '%'), ('1,200', '$'), ('5', ''))
    """
    found = _AFFIXES.fullmatch(cell.strip())
    if found is None or (found[1] and found[3]):
        return cell.strip(), ""
    return found[2], found[1] or found[3]


def fits_form(core: str, form: str) -> bool:
    """Return whether a cell is a number written in a form; whole numbers fit all."""
    whole = _WHOLE.fullmatch(core)
    return bool(whole) or bool(FORMS[form].fullmatch(core))


def plain_number(cell: str, form: str) -> str:
    """Return a number's text with a decimal point and without separators.

    >>> plain_number("1.234,5", "comma"), plain_number("12 %", "plain")
    ('1234.5', '12')
    """
    core = split_affix(cell)[0]
    if form == "grouped":
        return core.replace(",", "")
    if form == "spaced":
        return _SPACES.sub("", core).replace(",", ".")
    if form == "comma":
        return (
            core.replace(".", "").replace(",", ".") if "," in core else _ungroup(core)
        )
    return core


def _ungroup(core: str) -> str:
    return core.replace(".", "") if FORMS["comma"].fullmatch(core) else core


def boolean_number(cell: str) -> str:
    """Return "1" for a word for true, "0" for one for false."""
    return "1" if cell.strip().casefold() in TRUE else "0"


def day_first(cells: Collection[str]) -> bool:
    """Return whether dates such as 3/4/2024 have the day first.

    A part above 12 decides; dots mean the day first, and so does doubt.
    """
    found = [m for m in (_DATE.match(cell.strip()) for cell in cells) if m]
    return not any(m[2] == "/" and int(m[3]) > 12 >= int(m[1]) for m in found)


def date_number(cell: str, days_first: bool) -> str | None:
    """Return a date as days since 1970-01-01, as text; None if it is no date.

    >>> date_number("1970-01-02", True), date_number("2/1/1970", True)
    ('1', '1')
    """
    found = _DATE.fullmatch(_numbered_month(cell.strip()))
    if not found:
        return None
    one, two, three = (int(found[i]) for i in (1, 3, 4))
    if len(found[1]) == 4:
        year, month, day = one, two, three
    else:
        day, month = (one, two) if days_first or found[2] == "." else (two, one)
        year = three + (0 if three > 99 else 2000 if three < 70 else 1900)
    try:
        days = date(year, month, day).toordinal() - EPOCH
    except ValueError:
        return None
    seconds = sum(int(found[i] or 0) * s for i, s in ((5, 3600), (6, 60), (7, 1)))
    if found[8]:
        late = found[8].casefold().startswith("p")
        seconds += 43200 * (late - (int(found[5]) == 12))  # 12 AM is the hour 0
    return repr(days + seconds / 86400) if seconds else str(days)


def _numbered_month(cell: str) -> str:
    """Return a date such as "1-Jan-2024" or "January 1, 2024" as 2024-1-1."""
    found = _NAMED_MONTH.match(cell)
    day = (found[1] or found[3]) if found else None
    place = _MONTHS.find(found[2][:3].casefold()) if found else -1
    if not found or not day or place < 0 or place % 3:
        return cell
    return f"{found[4]}-{place // 3 + 1}-{day}{cell[found.end() :]}"
