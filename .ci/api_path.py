"""Makes `metascope` importable in the environment that runs this: one line in a file.

The package stays where it is, in `engine/api`; a wheel carries it (see wheel.py).
"""

import sysconfig
from pathlib import Path

API = Path(__file__).resolve().parents[1] / "engine" / "api"


def main() -> None:
    """Name the package's folder in a .pth file of the environment."""
    folder = Path(sysconfig.get_path("purelib"))
    (folder / "metascope.pth").write_text(f"{API}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
