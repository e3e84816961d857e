"""Under a name that is not allowed there is a sentence, not a blank page."""

import pytest
import streamlit as st

from app.web.host_names import HostNames
from tests.app.web.asgi import Answer, ask, page, request


@pytest.fixture(autouse=True)
def allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"server.allowedHosts": ["localhost", "*.example.org"]}
    monkeypatch.setattr(st.config, "get_option", names.get)


def answer(host: str, path: str = "/") -> Answer:
    return ask(HostNames(page), request(path, host=host))


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8501", "lab.example.org"])
def test_allowed_names_reach_the_page(host: str) -> None:
    assert answer(host).text == "the page"


def test_another_name_gets_the_setting_that_lets_it_in() -> None:
    refused = answer("lab.example.com:8501")
    assert refused.status == 403
    assert "“lab.example.com”" in refused.text
    assert "STREAMLIT_SERVER_ALLOWED_HOSTS" in refused.text
    assert "example.org”" not in refused.text  # who may not come sees no list


@pytest.mark.parametrize("host", ["", "<script>alert(1)</script>", "x" * 10_000, "a@b"])
def test_any_text_as_a_name_is_refused_and_inert(host: str) -> None:
    refused = answer(host)
    assert refused.status == 403
    assert "<script>" not in refused.text and len(refused.text) < 1500


def test_a_health_check_may_use_any_address() -> None:
    assert answer("10.0.0.7:8501", "/readyz").text == "the page"
