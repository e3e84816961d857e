"""The kept catalogue is used again, but not past what it was made from."""

from pathlib import Path

import pytest

from app.client import catalogue
from app.client.catalogue import CatalogueCache

ANSWER = '{"cards": [], "devices": ["cpu"], "engine": {}, "presets": []}'


class Cache(dict[str, str]):
    """Keeps texts as the store's cache does."""

    def set(self, name: str, text: str) -> None:
        self[name] = text


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    times: list[str] = []

    def ask() -> str:
        times.append("asked")
        return ANSWER

    monkeypatch.setattr(catalogue, "run_catalogue_command", ask)
    return times


def test_a_second_start_does_not_ask_the_engine_again(asked: list[str]) -> None:
    cache = Cache()
    for _ in range(2):
        assert CatalogueCache(lambda: cache).get().devices == ("cpu",)
    assert asked == ["asked"]


def test_a_data_pack_that_arrives_is_noticed(
    asked: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METASCOPE_DATA", str(tmp_path))
    cache = Cache()
    CatalogueCache(lambda: cache).get()
    (tmp_path / "tabular.npz").write_bytes(b"")
    CatalogueCache(lambda: cache).get()
    assert asked == ["asked", "asked"]
