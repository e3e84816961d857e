"""The web server of the lab, or several behind nginx, as `.hosting/server.sh` does."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from engine.executors import supervisor
from tests.server_answer import wait_for_answer

ROOT = Path(__file__).resolve().parents[2]
# The rest of the host's site is TLS, limits and paths; what is measured is the split.
SITE = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {shared}
  server {{
    listen 127.0.0.1:{port};
    large_client_header_buffers 4 64k;
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header X-Forwarded-For $http_x_forwarded_for;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $metascope_connection;
    proxy_read_timeout 1h;
    location / {{ proxy_pass http://metascope; }}
  }}
}}
"""


@contextmanager
def running_server(home: Path, port: int) -> Iterator[psutil.Process]:
    """Start the app on a store; yield its process, at this process's priority."""
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app/main.py")]
    command += ["--server.headless", "true", "--server.port", str(port)]
    told = os.environ | {"METASCOPE_HOME": str(home)}
    with (home.parent / "server.log").open("wb") as log:
        server = subprocess.Popen(command, env=told, stdout=log, stderr=log)
    try:
        wait_for_answer(f"http://127.0.0.1:{port}", server)
        yield psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait(30)
        supervisor.stop_supervisor(home)


@contextmanager
def running_servers(
    home: Path, port: int, count: int
) -> Iterator[list[psutil.Process]]:
    """Start web processes on one store; they answer together on a port.

    Args:
        home: The store.
        port: Where they answer; with more than one, the next ports are theirs.
        count: How many.
    """
    with ExitStack() as stack:
        if count == 1:
            yield [stack.enter_context(running_server(home, port))]
            return
        ports = range(port + 1, port + 1 + count)
        found = [stack.enter_context(running_server(home, each)) for each in ports]
        stack.enter_context(_running_proxy(home.parent, port, list(ports)))
        yield found


@contextmanager
def _running_proxy(folder: Path, port: int, ports: list[int]) -> Iterator[None]:
    """Start nginx on a port; each visitor stays with one of the other ports."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise RuntimeError("nginx is not installed: several web processes need it")
    held = (ROOT / ".hosting/nginx.conf").read_text()
    shared = "\n".join(re.findall(r"^(?:map|upstream) .*?^}", held, re.DOTALL | re.M))
    servers = "\n".join(f"    server 127.0.0.1:{each};" for each in ports)
    shared = re.sub(r"^ *server [\d.]+:8501;$", servers, shared, flags=re.M)
    site = folder / "nginx.conf"
    site.write_text(SITE.format(folder=folder, port=port, shared=shared))
    proxy = subprocess.Popen([program, "-c", str(site), "-e", "stderr"])
    try:
        wait_for_answer(f"http://127.0.0.1:{port}", proxy)
        yield
    finally:
        proxy.terminate()
        proxy.wait(30)
