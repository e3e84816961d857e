"""The demo's settings come from the environment."""

from collections.abc import Callable

import pytest

from engine.contract.errors import Refused
from engine.executors.demo import demo_limits, is_demo


def test_without_a_setting_the_lab_is_local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METASCOPE_MODE", raising=False)
    assert not is_demo()
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    assert is_demo()


def test_a_limit_is_read_in_its_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASCOPE_DEMO_RUN_MINUTES", "3")
    monkeypatch.setenv("METASCOPE_DEMO_UPLOAD_MIB", "5")
    limits = demo_limits()
    assert (limits.run_seconds, limits.upload) == (180, 5 * 2**20)


@pytest.mark.parametrize(
    ("name", "read"),
    [("METASCOPE_MODE", is_demo), ("METASCOPE_DEMO_QUEUED", demo_limits)],
)
@pytest.mark.parametrize("text", ["-1", "1e9", "public"])
def test_a_setting_that_is_not_understood_is_named(
    name: str, read: Callable[[], object], text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, text)
    with pytest.raises(Refused, match=name):
        read()
