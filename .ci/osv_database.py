"""A copy of the OSV database of Python packages: its export, a ZIP of JSON records.

It carries all advisories of PyPI to where no vulnerability service can be reached.
"""

import json
import re
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from packaging.version import InvalidVersion, Version

SMALLEST = 1000  # records; an export of PyPI has many times that

Record = dict[str, Any]


class Copy(NamedTuple):
    """Advisories of some packages, from a copy of the database.

    Args:
        advisories: Each one's package, id, other ids, and what it affects.
        newest: The day of the newest record.
        count: Records of all packages.
    """

    advisories: list[Record]
    newest: date
    count: int


def read_copy(path: Path, names: set[str]) -> Copy:
    """Read the records of some packages.

    Args:
        path: The ZIP.
        names: The packages, normalized.

    Raises:
        ValueError: If the file is no such export.
    """
    found: list[Record] = []
    newest, count = date.min, 0
    try:
        for record in _records(path):
            count += 1
            newest = max(newest, date.fromisoformat(record["modified"][:10]))
            if "withdrawn" not in record:
                found += advisories(record, names)
    except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise ValueError(f"{path} is no export of OSV: {error}") from error
    if count < SMALLEST:
        raise ValueError(
            f"{path} has {count} records; an export of PyPI has more than {SMALLEST}"
        )
    return Copy(found, newest, count)


def _records(path: Path) -> Iterator[Record]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".json"):
                yield json.loads(archive.read(name))


def advisories(record: Record, names: set[str]) -> list[Record]:
    """Return what one record says of these packages.

    >>> affected = {"package": {"ecosystem": "PyPI", "name": "A_b"}, "versions": ["1"]}
    >>> advisories({"id": "X-1", "affected": [affected]}, {"a-b"})
    [{'package': 'a-b', 'ids': ['X-1'], 'versions': ['1'], 'ranges': []}]
    """
    found = []
    for each in record.get("affected", ()):
        package = each.get("package", {})
        name = re.sub(r"[-_.]+", "-", package.get("name", "")).lower()
        if package.get("ecosystem") == "PyPI" and name in names:
            ranges = [r for r in each.get("ranges", ()) if r["type"] == "ECOSYSTEM"]
            found.append(
                {
                    "package": name,
                    "ids": [record["id"], *record.get("aliases", ())],
                    "versions": each.get("versions", []),
                    "ranges": [r["events"] for r in ranges],
                }
            )
    return found


def affects(advisory: Record, version: str) -> bool:
    """Return whether an advisory affects a version.

    >>> events = [{"introduced": "0"}, {"fixed": "1.2"}, {"introduced": "2"}]
    >>> advisory = {"versions": [], "ranges": [events]}
    >>> [affects(advisory, version) for version in ("1.1", "1.2", "2.0")]
    [True, False, True]
    >>> affects({"versions": [], "ranges": [[{"last_affected": "3"}]]}, "3")
    True
    """
    here = Version(version)
    if any(_is_same(each, here) for each in advisory["versions"]):
        return True
    return any(_is_in(events, here) for events in advisory["ranges"])


def _is_same(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:  # of long ago
        return False


def _is_in(events: list[dict[str, str]], version: Version) -> bool:
    inside = "introduced" not in events[0]
    for event in events:
        ((what, text),) = event.items()
        at = Version("0") if text == "0" else Version(text)
        if what == "introduced" and version >= at:
            inside = True
        elif (what == "fixed" and version >= at) or (
            what == "last_affected" and version > at
        ):
            inside = False
    return inside


def fixed_in(advisory: Record) -> str:
    """Return the versions that fix it, as text; "no version" if there is none."""
    fixes = [
        e["fixed"] for events in advisory["ranges"] for e in events if "fixed" in e
    ]
    return ", ".join(fixes) or "no version"


def judge_copy(
    packages: list[str], copy: Copy, ignored: list[str]
) -> tuple[int, list[str]]:
    """Check packages against a copy; return exit code and lines to print.

    Args:
        packages: Each as name==version.
        copy: The copy.
        ignored: Ids that are accepted.
    """
    code, lines = 0, []
    for name, version in (package.split("==") for package in packages):
        spelled = re.sub(r"[-_.]+", "-", name).lower()
        for each in copy.advisories:
            if each["package"] != spelled or not affects(each, version):
                continue
            lived = "; accepted" if set(each["ids"]) & set(ignored) else ""
            lines.append(
                f"{name} {version}: {each['ids'][0]}, fixed in {fixed_in(each)}{lived}"
            )
            code = code if lived else 1
    lines.append(
        f"{len(packages)} packages audited against {copy.count} records of OSV, the "
        f"newest of {copy.newest}"
    )
    return code, lines
