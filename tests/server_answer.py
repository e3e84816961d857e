"""Waiting for a server that a test or a benchmark has started."""

import subprocess
import time
import urllib.request

PATIENCE = 60.0  # seconds


def wait_for_answer(url: str, server: "subprocess.Popen[bytes]") -> None:
    """Wait until a lab answers.

    Args:
        url: Its address, without a slash at the end.
        server: The process that answers there.

    Raises:
        RuntimeError: If it has ended, or does not answer in time.
    """
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"nothing answers at {url}")
