"""The demo's log is JSON lines that hold nothing of a visitor."""

import json
import logging
from typing import Any

import pytest

from app import structured_log


@pytest.fixture
def demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    structured_log.write_summary()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_a_text_cannot_begin_a_line_of_its_own(
    demo: None, capsys: pytest.CaptureFixture[str]
) -> None:
    structured_log.log("run_accepted", workspace="a\u2028b\nc" + "x" * 999)
    (line,) = lines(capsys)
    assert line["event"] == "run_accepted" and len(line["workspace"]) == 200


def test_a_local_lab_writes_none(capsys: pytest.CaptureFixture[str]) -> None:
    structured_log.log("run_accepted")
    assert not lines(capsys)


def test_an_attack_is_one_line_a_minute(
    demo: None, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(1000):
        structured_log.count("refused", "path")
    structured_log.write_summary()
    structured_log.write_summary()
    (line,) = lines(capsys)
    assert (line["reason"], line["count"]) == ("path", 1000)


def test_libraries_tell_no_address_and_no_text_of_a_visitor(
    demo: None, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.Logger("library")
    logger.addHandler(structured_log.JsonHandler())
    for _ in range(20):
        try:
            raise ValueError("their title")
        except ValueError:
            logger.exception("%s sent %s", "6.6.6.6", "secret")
    structured_log.write_summary()
    told = lines(capsys)
    assert len(told) == structured_log.LINES + 1
    assert told[0]["text"] == "%s sent %s" and told[0]["error"] == "ValueError"
    assert told[0]["where"].startswith("tests/app/test_structured_log.py:")
    assert not any(word in str(told) for word in ("6.6.6.6", "secret", "title"))
    assert (told[-1]["event"], told[-1]["count"]) == ("not_logged", 15)


def test_a_library_without_a_handler_is_taken_over(
    demo: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.Logger("uvicorn.test")
    logger.propagate = False
    monkeypatch.setattr(logging.root, "handlers", [])
    monkeypatch.setattr(logging.root.manager, "loggerDict", {"uvicorn.test": logger})
    structured_log.take_over_libraries()
    logger.warning("Invalid HTTP request received.")
    assert lines(capsys)[0]["text"] == "Invalid HTTP request received."
