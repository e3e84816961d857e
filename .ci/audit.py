"""Known vulnerabilities of everything that is installed here, by pip-audit.

As strict as `pip-audit --strict`, with two differences. What is lived with stands
in pyproject.toml with a day and a reason, and fails again after that day. And
where the vulnerability service cannot be reached, this says that nothing was
audited and does not fail: no answer is not a finding.
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from datetime import date
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
UNREACHED = (
    "ConnectionError",
    "ConnectTimeout",
    "ReadTimeout",
    "Max retries",
    "SSLError",
)


def exceptions(today: date) -> list[str]:
    """Return the ids of what is lived with today."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    listed = settings["tool"]["metascope"]["audit"]
    return [entry["id"] for entry in listed if entry["until"] >= today]


def installed() -> list[str]:
    """Return every installed package, without the build's local mark (+cpu)."""
    found = {(d.name, d.version.partition("+")[0]) for d in metadata.distributions()}
    return [f"{name}=={version}" for name, version in sorted(found)]


def ask(packages: list[str], ignored: list[str]) -> tuple[str, str]:
    """Return what pip-audit answers, as JSON, and what it says besides."""
    options = [word for each in ignored for word in ("--ignore-vuln", each)]
    with tempfile.TemporaryDirectory() as folder:
        listing = Path(folder) / "requirements.txt"
        listing.write_text("\n".join(packages))
        command = [sys.executable, "-m", "pip_audit", "--format", "json"]
        command += ["--progress-spinner", "off", "--no-deps", "--disable-pip"]
        command += ["--requirement", str(listing), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout, done.stderr


def judge(answer: str, remarks: str) -> tuple[int, list[str]]:
    """Return the exit code and what to tell.

    >>> judge('{"dependencies": [{"name": "a", "version": "1", "vulns": []}]}', "")
    (0, ['1 packages audited: no known vulnerabilities'])
    >>> judge("", "ConnectionError: no route")[0]
    0
    >>> judge("", "Traceback")[0]
    1
    """
    try:
        found = json.loads(answer)["dependencies"]
    except (ValueError, KeyError):
        if any(word in remarks for word in UNREACHED):
            return 0, ["NOT AUDITED: the vulnerability service cannot be reached"]
        return 1, ["pip-audit failed:", *remarks.strip().splitlines()[-3:]]
    skipped = [each for each in found if "skip_reason" in each]
    if skipped and len(skipped) == len(found):
        return 0, ["NOT AUDITED: the vulnerability service here knows none of these"]
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


def main() -> int:
    """Audit, tell, and return the exit code."""
    ignored = exceptions(date.today())
    code, lines = judge(*ask(installed(), ignored))
    lived = f"; lived with: {', '.join(ignored)}" if ignored else ""
    sys.stderr.write("audit: " + "\n       ".join(lines) + lived + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
