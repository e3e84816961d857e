"""ARFF, in which Weka and OpenML keep tables, as a CSV with the same line numbers."""

import csv
import io
import re

from engine.contract.errors import Refused

_ATTRIBUTE = re.compile(
    r"@attribute\s+(?:'((?:[^'\\]|\\.)*)'|\"([^\"]*)\"|([^\s{]+))", re.IGNORECASE
)


def is_arff(text: str) -> bool:
    r"""Return whether a text is ARFF: it begins with a relation, below comments.

    >>> is_arff("% Iris\n@RELATION iris\n"), is_arff("a,b\n1,2\n")
    (True, False)
    """
    for line in io.StringIO(text):
        plain = line.strip()
        if plain and not plain.startswith("%"):
            return plain.casefold().startswith("@relation")
    return False


def arff_as_csv(text: str) -> str:
    r"""Return the data of an ARFF file as CSV; what is no data becomes a blank line.

    Args:
        text: The file.

    Raises:
        Refused: If it has no attributes or no data, or its rows are sparse.

    >>> arff_as_csv("@relation r\n@attribute 'a b' real\n@data\n1\n").split()
    ['"a', 'b"', '1']
    """
    lines = text.splitlines()
    start = next(
        (n for n, line in enumerate(lines) if line.strip().casefold() == "@data"), -1
    )
    found = [_ATTRIBUTE.match(line.strip()) for line in lines[: max(start, 0)]]
    names = [m[1] or m[2] or m[3] for m in found if m]
    if not names:
        raise Refused("this ARFF file has no attributes, or no line @data below them")
    written = [""] * start + [_csv_line(names)]
    for number, line in enumerate(lines[start + 1 :], start + 2):
        plain = line.strip()
        if plain.startswith("{"):
            raise Refused(f"line {number}: sparse ARFF is not read; save all values")
        written.append("" if plain.startswith("%") else _replace_quotes(plain))
    return "\n".join(written) + "\n"


def _replace_quotes(line: str) -> str:
    """Return a row with double quotes in place of ARFF's single ones."""
    if "'" not in line:
        return line
    read = csv.reader([line], quotechar="'", escapechar="\\", skipinitialspace=True)
    return _csv_line(next(read))


def _csv_line(cells: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="", quoting=csv.QUOTE_NONNUMERIC).writerow(cells)
    return text.getvalue()
