"""The first page gives a browser its cookie; nothing else does."""

import re

import pytest

from app import visitors
from app.web.settings import WebSettings, read_settings
from app.web.visitor_cookie import COOKIE, FORM, VisitorCookie
from tests.app.web.asgi import ask, page, request

ID = "0123456789abcdef" * 2
SETTINGS = read_settings()._replace(is_demo=True)


def cookie_of(settings: WebSettings = SETTINGS, path: str = "/", **headers: str) -> str:
    app = VisitorCookie(page, settings)
    return ask(app, request(path, **headers)).headers.get("set-cookie", "")


def test_the_page_reads_the_cookie_that_the_server_sets() -> None:
    assert visitors.COOKIE == COOKIE and visitors._ID.pattern == FORM.pattern


def test_two_browsers_get_different_secrets_that_scripts_cannot_read() -> None:
    one, other = cookie_of(), cookie_of(path="/lab")
    form = rf"{COOKIE}=[0-9a-f]{{32}}; Path=/; HttpOnly; Max-Age=86400; SameSite=Lax"
    assert re.fullmatch(form, one) and re.fullmatch(form, other) and one != other


@pytest.mark.parametrize("held", ["", ID[:-1], f"{ID}0", ID.upper(), f"{ID[:-1]}g"])
def test_a_cookie_of_another_form_is_replaced(held: str) -> None:
    name, value = cookie_of(cookie=f"{COOKIE}={held}").split(";")[0].split("=")
    assert name == COOKIE and FORM.fullmatch(value) and value != held


def test_a_browser_keeps_its_cookie() -> None:
    assert cookie_of(cookie=f"a=b; {COOKIE}={ID}").startswith(f"{COOKIE}={ID};")


@pytest.mark.parametrize("path", ["/static/js/x.js", "/_stcore/health", "/media/a.png"])
def test_files_set_no_cookie(path: str) -> None:
    assert not cookie_of(path=path)


def test_behind_https_the_cookie_never_travels_in_clear() -> None:
    assert cookie_of(x_forwarded_proto="https").endswith("; SameSite=Lax; Secure")
    # Only a proxy is believed.
    stranger = SETTINGS._replace(proxies=())
    assert "Secure" not in cookie_of(stranger, x_forwarded_proto="https")


def test_under_a_base_path_other_apps_of_the_host_do_not_get_it() -> None:
    based = SETTINGS._replace(base="/meta")
    assert "Path=/meta;" in cookie_of(based, "/meta/lab")
    assert not cookie_of(based, "/lab")


def test_in_a_frame_of_another_site_the_browser_sends_it() -> None:
    framed = SETTINGS._replace(embedders=("https://course.example",))
    given = cookie_of(framed, x_forwarded_proto="https")
    assert given.endswith("; SameSite=None; Secure; Partitioned")
