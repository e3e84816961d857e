"""What is written for hosts fits the code: ports, paths, and names of settings."""

import os
import re
import subprocess
import sys
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from streamlit import config

from app.web.request_gate import STREAM, RequestGate
from app.web.requests import PAGES
from app.web.settings import EMBED, PROXY, WebSettings
from engine.executors.demo import SOURCE

ROOT = Path(__file__).resolve().parents[1]
HOSTING = ROOT / ".hosting"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
NGINX = (HOSTING / "nginx.conf").read_text()
UNIT = (HOSTING / "metascope@.service").read_text()
ENVIRONMENT = (HOSTING / "metascope.env").read_text()
TEXTS = {
    path.name: path.read_text()
    for path in (ROOT / "Dockerfile", *HOSTING.iterdir())
    if path.is_file()
}
SETTING = re.compile(r"\b(?:METASCOPE|STREAMLIT)_[A-Z_]+\b")
# A limit and its default, in the code and in the table.
DEFAULT = re.compile(r"\"(METASCOPE_DEMO_[A-Z_]+)\",\s*(\d+),")
ROW = re.compile(r"^\| `(METASCOPE_DEMO_[A-Z_]+)` \| (\d+) \|", re.MULTILINE)
# A place, not a host: of the project, or made up for examples.
HOSTS = re.compile(r"https?://([\w.-]+)")
FINE_HOSTS = re.compile(
    r"127\.0\.0\.1|metascope|lab\.example\.org|www\.ray\.io|huggingface\.co|"
    r"USER-SPACE\.hf\.space"
)


@cache
def code() -> str:
    files = [path for room in ("app", "engine") for path in (ROOT / room).rglob("*.py")]
    return "\n".join(path.read_text() for path in files)


def named_settings() -> set[str]:
    """Return the names that the code reads, as whole words of its texts."""
    return set(re.findall(r"\"(METASCOPE_[A-Z_]+)\"", code()))


def streamlit_settings() -> set[str]:
    options = config.get_config_options().values()
    return {option.env_var for option in options}


def test_every_setting_that_a_host_is_told_of_exists() -> None:
    known = named_settings() | streamlit_settings()
    wrong = {
        (name, word)
        for name, text in TEXTS.items()
        for word in SETTING.findall(text)
        if word not in known
    }
    assert wrong == set()


def test_every_setting_of_the_web_server_and_the_demo_is_in_the_table() -> None:
    settings = {PROXY, EMBED, SOURCE}
    assert settings <= set(re.findall(r"^\| `(\w+)`", TEXTS["README.md"], re.MULTILINE))


def test_every_limit_of_the_demo_is_in_the_table_of_settings() -> None:
    limits = dict(DEFAULT.findall(code()))
    assert len(limits) > 8
    assert dict(ROW.findall(TEXTS["README.md"])) == limits


def nginx_passes(path: str) -> bool:
    """Whether a location of the site hands a path to the lab."""
    exact = re.findall(r"location = (\S+) \{", NGINX)
    patterns = re.findall(r"location ~ (\S+) \{", NGINX)
    path = f"/@PREFIX@{path}"
    return path in exact or any(re.search(pattern, path) for pattern in patterns)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        *(f"/{page}" for page in sorted(PAGES)),
        "/static/js/index.js",
        "/media/a.png",
        f"/figures/{64 * 'a'}.json",
        "/component/app.x/y.js",
        "/_stcore/bidi-components/x/y.js",
        "/_stcore/health",
        "/_stcore/host-config",
        "/_stcore/upload_file/a/b",
        "/healthz",
        "/readyz",
        "/favicon.png",
        "/auth/login",
        "/oauth2callback",
        "/_stcore/metrics",
        "/_stcore/agent/mcp",
        "/_stcore/script-health-check",
        "/app/static/x",
        "/nothing",
        "/lab/nothing",
    ],
)
def test_nginx_passes_the_paths_that_the_lab_answers(path: str) -> None:
    gate = RequestGate(None, WebSettings(is_demo=True, uploads=1), has_sign_in=True)
    scope = {"type": "http", "method": "GET", "path": path, "headers": []}
    if "upload" in path:
        scope |= {"method": "PUT"}
    refusal = gate._find_refusal({**scope, "query_string": b""})
    assert nginx_passes(path) == (refusal is None or refusal.status != 404)


def test_the_socket_of_a_page_passes_nginx_with_its_upgrade() -> None:
    (block,) = re.findall(rf"location = /@PREFIX@{STREAM} {{(.*?)}}", NGINX, re.DOTALL)
    assert "proxy_pass" in block
    # A header that a location sets would drop all those of the server.
    assert "proxy_set_header" not in block
    assert "proxy_set_header Upgrade $http_upgrade;" in NGINX


def test_ports_folders_and_the_program_are_the_same_in_all_files() -> None:
    assert "server 127.0.0.1:8501;" in NGINX
    assert "seq 8501 " in TEXTS["server.sh"]
    assert "Environment=STREAMLIT_SERVER_PORT=%i\n" in UNIT
    assert "STREAMLIT_SERVER_PORT" not in ENVIRONMENT  # it would override the unit's
    (port,) = re.findall(r"STREAMLIT_SERVER_PORT=(\d+)", DOCKERFILE)
    assert f"EXPOSE {port}\n" in DOCKERFILE
    assert f"app_port: {port}\n" in TEXTS["space-header.md"]
    for text in (DOCKERFILE, UNIT):
        assert re.search(r"streamlit\W+run\W+app/main\.py", text)
    assert "StateDirectory=metascope\n" in UNIT
    assert "Environment=METASCOPE_HOME=/var/lib/metascope/store\n" in UNIT


def test_what_the_container_copies_exists_and_is_in_its_context() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE):
        for name in line.split()[:-1]:
            assert (ROOT / name).exists(), name
            parts = Path(name).parts
            kept = {f"!{'/'.join(parts[:i])}" for i in range(1, len(parts) + 1)}
            assert kept & set(ignored), name


def test_scripts_are_shell_that_can_be_read() -> None:
    for path in HOSTING.glob("*.sh"):
        assert os.access(path, os.X_OK), path
        subprocess.run(["sh", "-n", str(path)], check=True)


def test_no_host_of_a_package_index_is_named() -> None:
    named = {host for text in TEXTS.values() for host in HOSTS.findall(text)}
    assert {host for host in named if not FINE_HOSTS.fullmatch(host)} == set()


@pytest.mark.parametrize(("base", "status"), [("lab", 0), ("other", 1)])
def test_the_health_check_asks_below_the_base_path(base: str, status: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(
                200 if self.path in ("/healthz", "/lab/healthz") else 404
            )
            self.end_headers()

        def log_message(self, *words: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = {"STREAMLIT_SERVER_PORT": str(server.server_port)}
        told["STREAMLIT_SERVER_BASE_URL_PATH"] = base
        done = subprocess.run(
            [sys.executable, str(HOSTING / "health.py")],
            env={**os.environ, **told},
            capture_output=True,
            check=False,
        )
        server.shutdown()
    assert done.returncode == status
