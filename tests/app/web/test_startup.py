"""A wrong setting stops the start with one sentence, and the demo hides errors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit import config, net_util
from streamlit.web.server import server_util

from app.web import start_notice, startup


@pytest.fixture(autouse=True)
def own_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "home"))
    names = ("client.showErrorDetails", "server.maxUploadSize", "server.allowedHosts")
    held = {
        name: (config.get_option(name), config.get_where_defined(name))
        for name in names
    }
    yield
    for name, (value, where) in held.items():
        config.set_option(name, value, where)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("METASCOPE_MODE", "public"),
        ("METASCOPE_WORKERS", "many"),
        ("METASCOPE_NICENESS", "20"),
        ("METASCOPE_DEMO_SOCKETS", "0"),
        ("METASCOPE_DEMO_UPLOAD_MIB", "x"),
        ("METASCOPE_PROXY", "10.0.0.0/40"),
        ("METASCOPE_EMBED", "https://a.example; script-src *"),
        ("METASCOPE_SOURCE", "https://a.example/$(id)"),
        ("METASCOPE_WORKER_MIB", "1"),
        ("METASCOPE_ARITHMETIC", "portabel"),
    ],
)
def test_a_wrong_setting_is_named(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=rf"^Metascope does not start: {name} must be"):
        startup.prepare()


@pytest.mark.parametrize("name", ["a.example,b.example", "lab.example:80", "https://a"])
def test_a_list_of_host_names_that_would_let_nobody_in_is_named(name: str) -> None:
    config.set_option("server.allowedHosts", [name])
    with pytest.raises(SystemExit, match="STREAMLIT_SERVER_ALLOWED_HOSTS must be"):
        startup.prepare()


def test_a_demo_without_a_store_names_the_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    monkeypatch.setenv("METASCOPE_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(
        SystemExit, match=f"folder {tmp_path}/file/home .*METASCOPE_HOME"
    ):
        startup.prepare()


def test_visitors_see_no_details_of_errors(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start_notice.report_start(startup.prepare())
    assert "on (full)" in capsys.readouterr().out
    monkeypatch.setenv("METASCOPE_MODE", "demo")
    monkeypatch.setenv("METASCOPE_DEMO_UPLOAD_MIB", "3")
    start_notice.report_start(startup.prepare())
    told = capsys.readouterr()
    assert config.get_option("client.showErrorDetails") == "none"
    assert config.get_option("server.maxUploadSize") == 3
    assert "public demo" in told.out and "uploads up to 3 MiB" in told.out
    assert '"event": "start"' in told.err


def test_a_socket_of_a_foreign_origin_is_refused_without_asking_anyone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is the event loop that would wait for the answer."""

    def ask(url: str, timeout: float = 5) -> str | None:
        raise AssertionError(f"asked {url}")

    monkeypatch.setattr(net_util, "get_external_ip", net_util.get_external_ip)
    monkeypatch.setattr(net_util, "_make_blocking_http_get", ask)
    startup.prepare()
    assert not server_util.is_url_from_allowed_origins("http://evil.example")
    assert server_util.is_url_from_allowed_origins("http://localhost:8501")
