"""What can be fetched: from fixed addresses, whole and held to checksums, or not."""

import io
import json
from http.client import BadStatusLine
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from engine import __main__
from engine.contract.errors import Refused
from engine.data.sources import data_pack, download
from engine.data.sources.checksums import sha256
from engine.data.sources.download import RemoteFile, fetch

needs = pytest.mark.parametrize
ADDRESS = "https://example.org/x.zip"
GOOD = b"the archive"


@pytest.fixture
def remote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make one small file fetchable into an empty folder."""
    known = data_pack.PackFile("x.zip", ("omniglot",), sha256(GOOD), "", "")
    monkeypatch.setattr(data_pack, "FILES", {"x.zip": known})
    one = (RemoteFile("x.zip", ADDRESS, len(GOOD)),)
    monkeypatch.setattr(download, "SETS", {"omniglot": one})
    monkeypatch.setenv("METASCOPE_DATA", str(tmp_path / "pack"))
    return tmp_path / "pack"


def test_a_fetched_file_is_kept_and_not_fetched_again(remote: Path) -> None:
    asked: list[str] = []

    def answer(address: str) -> io.BytesIO:
        asked.append(address)
        return io.BytesIO(GOOD)

    for _ in range(2):
        assert fetch("omniglot", answer) == [remote / "x.zip"]
    assert asked == [ADDRESS]
    assert (remote / "x.zip").read_bytes() == GOOD
    assert [path.name for path in remote.iterdir()] == ["x.zip"]


@needs("came", [b"other bytes", b"", GOOD + bytes(10**6)])
def test_other_bytes_than_the_known_ones_are_not_kept(
    remote: Path, came: bytes
) -> None:
    with pytest.raises(Refused, match=r"not the expected .* were discarded"):
        fetch("omniglot", lambda _: io.BytesIO(came))
    assert not remote.exists()


@needs(
    "error",
    [
        URLError("Name or service not known"),
        HTTPError(ADDRESS, 404, "Not Found", None, None),  # type: ignore[arg-type]
        TimeoutError("timed out"),
        BadStatusLine("<html>"),
        ConnectionResetError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_without_an_answer_one_sentence_says_what_to_do(
    remote: Path, error: Exception
) -> None:
    def fail(address: str) -> io.BytesIO:
        raise error

    with pytest.raises(Refused) as refusal:
        fetch("omniglot", fail)
    said = str(refusal.value)
    assert said.startswith(f"x.zip cannot be fetched from {ADDRESS}: ")
    assert said.endswith(f"; try again when online, or put the file into {remote}")
    assert "\n" not in said and ": ;" not in said
    assert not remote.exists()


def test_an_answer_that_breaks_off_is_refused_and_not_kept(remote: Path) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionResetError("reset by peer")

    with pytest.raises(Refused, match="reset by peer"):
        fetch("omniglot", lambda _: Breaking())
    assert not remote.exists()


def test_a_damaged_file_is_replaced_by_the_known_one(remote: Path) -> None:
    remote.mkdir()
    (remote / "x.zip").write_bytes(b"damaged")
    fetch("omniglot", lambda _: io.BytesIO(GOOD))
    assert (remote / "x.zip").read_bytes() == GOOD


def test_a_damaged_file_stays_where_only_other_bytes_come(remote: Path) -> None:
    remote.mkdir()
    (remote / "x.zip").write_bytes(b"damaged")
    with pytest.raises(Refused, match="not the expected"):
        fetch("omniglot", lambda _: io.BytesIO(b"other"))
    assert (remote / "x.zip").read_bytes() == b"damaged"


def test_a_folder_that_cannot_be_written_is_named(remote: Path) -> None:
    remote.write_text("a file where the folder should be")
    with pytest.raises(Refused, match=r"cannot be written: .*METASCOPE_DATA"):
        fetch("omniglot", lambda _: io.BytesIO(GOOD))


def test_only_known_sets_are_fetched_and_only_by_https() -> None:
    with pytest.raises(Refused, match=r"'http://x' cannot be fetched; must be one of"):
        fetch("http://x")
    for every in download.SETS.values():
        for remote in every:
            assert remote.address.startswith("https://")
            assert data_pack.FILES[remote.file].sha256


# --- the command --------------------------------------------------------------


def test_the_command_fetches_a_set_by_its_name(
    remote: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def answer(address: str, timeout: float) -> io.BytesIO:
        asked.append(address)
        return io.BytesIO(GOOD)

    monkeypatch.setattr(download, "urlopen", answer)
    assert __main__.main(["data", "fetch", "omniglot"]) == 0
    assert asked == [ADDRESS]
    assert (remote / "x.zip").read_bytes() == GOOD
    assert "x.zip is there; its checksum is right" in capsys.readouterr().err


def test_the_command_says_in_one_line_that_there_is_no_network(
    remote: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(address: str, timeout: float) -> io.BytesIO:
        raise URLError("Name or service not known")

    monkeypatch.setattr(download, "urlopen", fail)
    assert __main__.main(["data", "fetch", "omniglot"]) == 2
    (line,) = [
        line
        for line in capsys.readouterr().err.splitlines()
        if line.startswith("error: ")
    ]
    assert line.endswith(f"put the file into {remote}")


def test_the_command_names_what_can_be_fetched_instead_of_an_unknown_set(
    remote: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert __main__.main(["data", "fetch", "imagenet"]) == 2
    said = capsys.readouterr().err
    assert said == "error: 'imagenet' cannot be fetched; must be one of: omniglot\n"


def test_without_a_name_the_command_lists_what_can_be_fetched_and_fetches_nothing(
    remote: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(download, "urlopen", None)
    assert __main__.main(["data", "fetch", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry == {
        "name": "omniglot",
        "file": "x.zip",
        "bytes": len(GOOD),
        "state": "absent",
        "address": ADDRESS,
    }
    assert __main__.main(["data", "fetch"]) == 0
    table = capsys.readouterr().out
    assert "omniglot" in table and ADDRESS in table
    assert not remote.exists()
