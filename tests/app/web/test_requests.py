"""Whose a request is: the peer's, or the one that a known proxy names."""

import pytest

from app.web.requests import sender
from app.web.settings import read_settings
from tests.app.web.asgi import request

LOOPBACK = read_settings().proxies


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("5.5.5.5", "", "5.5.5.5"),
        ("5.5.5.5", "6.6.6.6", "5.5.5.5"),  # a stranger names whom it likes
        ("127.0.0.1", "6.6.6.6", "6.6.6.6"),
        ("::ffff:127.0.0.1", "6.6.6.6", "6.6.6.6"),
        (
            "127.0.0.1",
            "1.2.3.4, 6.6.6.6:80",
            "6.6.6.6",
        ),  # theirs is first
        ("127.0.0.1", "6.6.6.6, 127.0.0.1", "6.6.6.6"),  # two proxies
        ("127.0.0.1", "6.6.6.6, nonsense", "127.0.0.1"),
        ("127.0.0.1", "[2001:db8:0:1::5]:80", "2001:db8:0:1::/64"),
        ("127.0.0.1", "", "127.0.0.1"),
    ],
)
def test_whose_a_request_is(peer: str, forwarded: str, expected: str) -> None:
    scope = request("/", x_forwarded_for=forwarded) | {"client": (peer, 1)}
    assert sender(scope, LOOPBACK) == expected
