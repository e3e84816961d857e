"""Ask the web server of this machine whether it is alive; exit code 0 if it is.

It asks where the lab's own settings say that the server listens, under its base path.
"""

import os
import sys
from urllib.error import URLError
from urllib.request import urlopen

TIMEOUT = 4.0  # seconds


def address() -> str:
    """Return the address of the health page."""
    port = os.environ.get("STREAMLIT_SERVER_PORT", "8501")
    base = os.environ.get("STREAMLIT_SERVER_BASE_URL_PATH", "").strip("/")
    path = f"/{base}/healthz" if base else "/healthz"
    return f"http://127.0.0.1:{port}{path}"


def main() -> int:
    """Return 0 if the server answers, else 1 and say why."""
    try:
        with urlopen(address(), timeout=TIMEOUT):
            return 0
    except (URLError, OSError) as error:
        sys.stderr.write(f"health: {address()}: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
