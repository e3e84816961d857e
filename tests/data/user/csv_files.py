"""CSV files made for tests."""

import csv
import io
from collections.abc import Mapping, Sequence


def sheet(columns: Mapping[str, Sequence[str]]) -> bytes:
    """Write columns of texts as a CSV file."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def column(count: int) -> tuple[str, ...]:
    """Return different numbers as texts."""
    return tuple(f"{i * 0.5 - 3}" for i in range(count))
