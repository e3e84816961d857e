"""The audit: a finding fails, and no answer is never shown as a clean one."""

import importlib.util
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 12, 1)
UNREACHED = ("", "requests.exceptions.ConnectionError: no route")


@pytest.fixture
def audit() -> ModuleType:
    path = ROOT / ".ci" / "audit.py"
    spec = importlib.util.spec_from_file_location("_audit", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def ends(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    packages: list[str],
    answer: tuple[str, str] = UNREACHED,
) -> tuple[int, str]:
    """Return the exit code of an audit of some packages, and all that it says."""
    monkeypatch.setattr(audit, "installed", lambda: packages)
    monkeypatch.setattr(audit, "ask", lambda *given: answer)
    code = audit.main()
    return code, capsys.readouterr().err


def answered(*dependencies: dict[str, Any]) -> tuple[str, str]:
    return json.dumps({"dependencies": dependencies}), ""


def advisories() -> list[dict[str, Any]]:
    listed = json.loads((ROOT / ".ci" / "advisories.json").read_text())
    found: list[dict[str, Any]] = listed["advisories"]
    return found


def test_without_a_service_a_banner_ends_the_audit_and_says_how_old_the_list_is(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, said = ends(audit, monkeypatch, capsys, ["typer==0.29.2"])
    lines = said.splitlines()
    assert code == 0
    assert lines[-1] == lines[-7] == "audit: " + "=" * 78
    assert lines[-6].startswith("audit: NOT AUDITED: ")
    reviewed = json.loads(audit.LISTED.read_text())["reviewed"]
    days = (date.today() - date.fromisoformat(reviewed)).days
    assert f"reviewed on {reviewed}, {days} days ago" in lines[-5]


def test_a_service_that_knows_no_package_has_audited_nothing(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    skipped = answered({"name": "typer", "skip_reason": "not found"})
    code, said = ends(audit, monkeypatch, capsys, ["typer==0.29.2"], skipped)
    assert code == 0 and "NOT AUDITED" in said


def test_without_a_service_a_listed_advisory_of_what_is_installed_fails(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, said = ends(audit, monkeypatch, capsys, ["pillow==12.2.0"])
    assert code == 1
    assert "audit: pillow 12.2.0: CVE-2026-54059, fixed in 12.3.0\n" in said


def test_an_accepted_vulnerability_fails_again_after_its_date(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, said = ends(audit, monkeypatch, capsys, ["diskcache==5.6.3"])
    assert code == 0 and "CVE-2025-69872, fixed in no version; accepted" in said
    monkeypatch.setattr(audit, "exceptions", lambda today: [])
    assert ends(audit, monkeypatch, capsys, ["diskcache==5.6.3"])[0] == 1
    settings = audit.tomllib.loads((ROOT / "pyproject.toml").read_text())
    (until,) = [each["until"] for each in settings["tool"]["metascope"]["audit"]]
    monkeypatch.undo()
    assert audit.exceptions(until) == ["CVE-2025-69872"]
    assert audit.exceptions(until + timedelta(days=1)) == []


def test_a_finding_of_the_service_fails_and_so_does_a_package_it_skips(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    clean: dict[str, Any] = {"name": "a", "version": "1", "vulns": []}
    found = {"name": "b", "version": "2"}
    found |= {"vulns": [{"id": "X-1", "fix_versions": ["3"]}]}
    skipped = {"name": "c", "skip_reason": "unknown"}
    for bad, line in ((found, "b 2: X-1, fixed in 3"), (skipped, "c: unknown")):
        code, said = ends(audit, monkeypatch, capsys, [], answered(clean, bad))
        assert code == 1 and f"audit: {line}\n" in said and "NOT AUDITED" not in said
    code, said = ends(audit, monkeypatch, capsys, [], answered(clean))
    assert code == 0 and "1 packages audited" in said


def test_a_list_that_was_not_reviewed_for_long_is_called_old(audit: ModuleType) -> None:
    fresh = "\n".join(audit.banner("no route", DAY, DAY + timedelta(days=90)))
    stale = "\n".join(audit.banner("no route", DAY, DAY + timedelta(days=91)))
    assert "OLD" not in fresh and "THE LIST IS OLD" in stale


def test_the_list_has_only_accepted_advisories_for_the_locked_versions(
    audit: ModuleType,
) -> None:
    locks = "".join(p.read_text() for p in (ROOT / ".ci" / "locks").iterdir())
    pins = [line.split()[0] for line in locks.splitlines() if "==" in line.split()[0]]
    code, lines = audit.known(pins, advisories(), audit.exceptions(DAY))
    assert code == 0
    assert [line for line in lines if "fixed in" in line] == [
        "diskcache 5.6.3: CVE-2025-69872, fixed in no version; accepted"
    ]


def test_every_listed_advisory_can_be_judged_and_says_where_it_is_from() -> None:
    listed = json.loads((ROOT / ".ci" / "advisories.json").read_text())
    reviewed = date.fromisoformat(listed["reviewed"])
    keys = [(each["package"], each["id"]) for each in advisories()]
    assert len(set(keys)) == len(keys) > 100
    for each in advisories():
        assert each.keys() == {"package", "id", "affected", "fixed", "source", "dated"}
        ranges = [SpecifierSet(words) for words in each["affected"]]
        fixed = each["fixed"]
        assert fixed is None or not any(r.contains(fixed, True) for r in ranges), each
        assert each["id"].startswith(("CVE-", "GHSA-", "PYSEC-"))
        assert date.fromisoformat(each["dated"]) <= reviewed
        assert each["source"]


def osv_export(folder: Path, day: date, **hit: Any) -> Path:
    """Write an export of OSV: many records of another package, and one of pillow."""
    path = folder / "all.zip"
    other = {"id": "X", "modified": "2020-01-01T00:00:00Z", "affected": []}
    record = {"id": "GHSA-1", "aliases": ["CVE-1"], "modified": f"{day}T09:00:00Z"}
    events = [{"introduced": "0"}, {"fixed": "13"}]
    affected = {"package": {"ecosystem": "PyPI", "name": "Pillow"}}
    affected["ranges"] = [{"type": "ECOSYSTEM", "events": events}]
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(1000):
            archive.writestr(f"X-{number}.json", json.dumps(other))
        archive.writestr("1.json", json.dumps(record | {"affected": [affected]} | hit))
    return path


def test_a_copy_of_the_database_audits_where_no_service_answers(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    today = date.today()
    monkeypatch.setenv(audit.COPY, str(osv_export(tmp_path, today)))
    code, said = ends(audit, monkeypatch, capsys, ["pillow==12.2.0"])
    assert code == 1 and "audit: pillow 12.2.0: GHSA-1, fixed in 13\n" in said
    code, said = ends(audit, monkeypatch, capsys, ["pillow==13"])
    assert code == 0 and "NOT AUDITED" not in said
    assert f"1 packages audited against 1001 records of OSV, the newest of {today}" in (
        said
    )
    monkeypatch.setattr(audit, "exceptions", lambda today: ["CVE-1"])
    code, said = ends(audit, monkeypatch, capsys, ["pillow==12.2.0"])
    assert code == 0 and "accepted" in said


def test_a_copy_that_is_old_or_withdraws_or_is_none_is_not_called_an_audit(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    long_ago = date.today() - timedelta(days=91)
    path = osv_export(tmp_path, long_ago, withdrawn="2021-01-01T00:00:00Z")
    monkeypatch.setenv(audit.COPY, str(path))
    code, said = ends(audit, monkeypatch, capsys, ["pillow==12.2.0"])
    assert code == 0 and "NOT AUDITED against the last 91 days" in said
    path.write_bytes(b"no ZIP")
    with pytest.raises(SystemExit, match="NOT AUDITED"):
        ends(audit, monkeypatch, capsys, ["pillow==12.2.0"])


def test_the_second_service_is_asked_where_the_first_does_not_answer(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers = {"pypi": UNREACHED, "osv": answered({"name": "a", "vulns": []})}
    monkeypatch.setattr(audit, "installed", lambda: ["a==1"])
    monkeypatch.setattr(
        audit, "ask", lambda packages, ignored, service: answers[service]
    )
    assert audit.main() == 0
    assert "audit: asked: osv" in capsys.readouterr().err
