"""The theme of each rerun's first message."""

import inspect

import pytest
from streamlit import config
from streamlit.proto.NewSession_pb2 import CustomThemeConfig
from streamlit.runtime import app_session

from app.web.theme_messages import keep_theme

OPTIONS = {
    "theme": {"base": "dark", "primaryColor": "#123456", "paddingTop": "1rem"},
    "theme.light": {"headingFontSizes": ["2rem", "1rem"], "textColor": "#111111"},
}


@pytest.fixture
def options(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, object]]:
    """Return the options that Streamlit reads; what it is patched with goes away."""
    held: dict[str, dict[str, object]] = dict(OPTIONS)
    monkeypatch.setattr(config, "get_options_for_section", lambda name: held[name])
    fill = inspect.unwrap(app_session._populate_theme_msg)
    monkeypatch.setattr(app_session, "_populate_theme_msg", fill)
    return held


def theme_message() -> CustomThemeConfig:
    made = CustomThemeConfig()
    app_session._populate_theme_msg(made)
    app_session._populate_theme_msg(made.light, "theme.light")
    return made


def test_a_kept_theme_is_streamlits_own(options: dict[str, dict[str, object]]) -> None:
    expected = theme_message()
    keep_theme()
    assert theme_message() == expected
    assert expected.primary_color == "#123456"
    options.clear()  # nothing is read again
    assert theme_message() == expected


def test_a_section_without_options_is_no_part_of_the_message(
    options: dict[str, dict[str, object]],
) -> None:
    options["theme.light"] = {"textColor": None}
    keep_theme()
    assert not theme_message().HasField("light")
