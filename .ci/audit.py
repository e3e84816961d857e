"""Known vulnerabilities of all installed packages, by pip-audit.

As strict as `pip-audit --strict`, with two differences. Accepted vulnerabilities are in
pyproject.toml with an expiry date and a reason; after that date they fail again. And if
none of its services (PyPI's, then OSV's) answers, the packages are checked against a
copy of OSV's database, the ZIP that METASCOPE_ADVISORIES names. Without one a banner
says that nothing was audited, and they are checked against a dated list,
advisories.json: a match that is not accepted fails, but the lack of a service alone
does not.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

sys.path.insert(0, str(Path(__file__).parent))
import osv_database

ROOT = Path(__file__).resolve().parents[1]
LISTED = Path(__file__).with_name("advisories.json")
OLD_AFTER = 90  # days since the list was reviewed, or the copy was made
COPY = "METASCOPE_ADVISORIES"  # names a ZIP: OSV's export of PyPI
SERVICES = ("pypi", "osv")
UNREACHED = (
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Max retries",
    "SSLError",
)


def exceptions(today: date) -> list[str]:
    """Return the ids of the vulnerabilities that are accepted today."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = settings["tool"]["metascope"]["audit"]
    return [entry["id"] for entry in listed if entry["until"] >= today]


def installed() -> list[str]:
    """Return every installed package as name==version, without local tags (+cpu)."""
    found = {(d.name, d.version.partition("+")[0]) for d in metadata.distributions()}
    return [f"{name}=={version}" for name, version in sorted(found)]


def ask(packages: list[str], ignored: list[str], service: str) -> tuple[str, str]:
    """Ask a service of pip-audit; return its JSON answer and its messages."""
    options = [word for each in ignored for word in ("--ignore-vuln", each)]
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "requirements.txt"
        listing.write_text("\n".join(packages))
        command = [sys.executable, "-m", "pip_audit", "--format", "json"]
        command += ["--progress-spinner", "off", "--no-deps", "--disable-pip"]
        command += ["--vulnerability-service", service]
        command += ["--requirement", str(listing), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout, done.stderr


def judge(answer: str, remarks: str) -> tuple[int | None, list[str]]:
    """Return the exit code, None if nothing was audited, and the lines to print.

    >>> judge('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', "")
    (0, ['1 packages audited: no known vulnerabilities'])
    >>> judge("", "ConnectionError: no route")
    (None, ['it cannot be reached'])
    >>> judge("", "Traceback")[0]
    1
    """
    try:
        found = json.loads(answer)["dependencies"]
    except (ValueError, KeyError):
        if any(word in remarks for word in UNREACHED):
            return None, ["it cannot be reached"]
        return 1, ["pip-audit failed:", *remarks.strip().splitlines()[-3:]]
    skipped = [each for each in found if "skip_reason" in each]
    if skipped and len(skipped) == len(found):
        return None, ["it knows none of these packages"]
    bad = [
        f"{each['name']} {each['version']}: {vuln['id']}, fixed in "
        + (", ".join(vuln["fix_versions"]) or "no version")
        for each in found
        for vuln in each.get("vulns", ())
    ]
    bad += [f"{each['name']}: {each['skip_reason']}" for each in skipped]
    if bad:
        return 1, bad
    return 0, [f"{len(found)} packages audited: no known vulnerabilities"]


def affects(advisory: dict[str, Any], version: str) -> bool:
    """Return whether an advisory affects this version.

    >>> affects({"affected": ["<1.2", ">=2,<2.1"]}, "2.0.3")
    True
    >>> affects({"affected": ["<1.2", ">=2,<2.1"]}, "1.2")
    False
    """
    ranges = (SpecifierSet(each) for each in advisory["affected"])
    return any(each.contains(version, prereleases=True) for each in ranges)


def known(
    packages: list[str], advisories: list[dict[str, Any]], ignored: list[str]
) -> tuple[int, list[str]]:
    """Check packages against listed advisories; return exit code and lines to print.

    >>> advisory = {"package": "a", "id": "X-1", "affected": ["<2"], "fixed": "2"}
    >>> known(["A==1", "b==1"], [advisory], [])
    (1, ['A 1: X-1, fixed in 2', 'no advisories listed for 1 other packages'])
    >>> known(["A==1"], [advisory], ["X-1"])
    (0, ['A 1: X-1, fixed in 2; accepted'])
    >>> known(["A==2"], [advisory], [])
    (0, ['A 2: 1 listed, none for this version'])
    >>> known(["b==1"], [advisory], [])
    (0, ['no advisories listed for 1 other packages'])
    """
    code, lines, others = 0, [], 0
    for name, version in (package.split("==") for package in packages):
        spelled = re.sub(r"[-_.]+", "-", name).lower()
        listed = [each for each in advisories if each["package"] == spelled]
        others += not listed
        applying = [each for each in listed if affects(each, version)]
        for each in applying:
            lived = "; accepted" if each["id"] in ignored else ""
            fixed = each["fixed"] or "no version"
            lines.append(f"{name} {version}: {each['id']}, fixed in {fixed}{lived}")
            code = code if lived else 1
        if listed and not applying:
            lines.append(
                f"{name} {version}: {len(listed)} listed, none for this version"
            )
    if others:
        lines.append(f"no advisories listed for {others} other packages")
    return code, lines


def banner(reason: str, reviewed: date, today: date) -> list[str]:
    r"""Return a banner: nothing was audited, and how old the list is.

    >>> print("\n".join(banner("no route", date(2026, 1, 1), date(2026, 1, 4))[1:-1]))
    NOT AUDITED: no route.
    Checked instead against .ci/advisories.json, reviewed on 2026-01-01, 3 days ago.
    It is not complete and has nothing published since.
    Run `make audit` with access to a service, or with a copy of its database:
    METASCOPE_ADVISORIES names OSV's export of PyPI, all.zip.
    """
    days = (today - reviewed).days
    old = " THE LIST IS OLD: review it." if days > OLD_AFTER else ""
    age = f"reviewed on {reviewed}, {days} days ago.{old}"
    line = "=" * 78
    return [
        line,
        f"NOT AUDITED: {reason}.",
        f"Checked instead against .ci/{LISTED.name}, {age}",
        "It is not complete and has nothing published since.",
        "Run `make audit` with access to a service, or with a copy of its database:",
        f"{COPY} names OSV's export of PyPI, all.zip.",
        line,
    ]


def banner_old_copy(newest: date, today: date) -> list[str]:
    """Return a banner: the copy of the database is old."""
    days = (today - newest).days
    line = "=" * 78
    return [line, f"NOT AUDITED against the last {days} days: THE COPY IS OLD.", line]


def ask_all(
    packages: list[str], ignored: list[str]
) -> tuple[int | None, list[str], str]:
    """Ask one service after the other; return code, lines, and which one answered."""
    lines: list[str] = []
    for service in SERVICES:
        code, found = judge(*ask(packages, ignored, service))
        if code is not None:
            return code, found, service
        lines += [f"{service}: {line}" for line in found]
    return None, lines, ""


def read_database(path: str, packages: list[str]) -> osv_database.Copy:
    """Return the advisories of these packages from the copy that a setting names.

    Raises:
        SystemExit: If it cannot be read: to be named and not used is no audit.
    """
    names = {re.sub(r"[-_.]+", "-", each.split("==")[0]).lower() for each in packages}
    try:
        return osv_database.read_copy(Path(path), names)
    except ValueError as error:
        sys.exit(f"audit: NOT AUDITED: {COPY}: {error}")


def main() -> int:
    """Audit, print the result, and return the exit code."""
    today = date.today()
    ignored, packages = exceptions(today), installed()
    code, lines, service = ask_all(packages, ignored)
    if code is not None:
        lines += [f"asked: {service}"]
        lines += [f"accepted: {', '.join(ignored)}"] if ignored else []
    elif path := os.environ.get(COPY, ""):
        copy = read_database(path, packages)
        code, lines = osv_database.judge_copy(packages, copy, ignored)
        if (today - copy.newest).days > OLD_AFTER:
            lines += banner_old_copy(copy.newest, today)
    else:
        listed = json.loads(LISTED.read_text())
        reviewed = date.fromisoformat(listed["reviewed"])
        end = banner("; ".join(lines), reviewed, today)
        code, lines = known(packages, listed["advisories"], ignored)
        lines += end
    sys.stderr.write("".join(f"audit: {line}\n" for line in lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
