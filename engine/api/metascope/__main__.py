"""The command line of an installation: `python -m metascope --help`.

`python -m metascope lab` opens the lab in the browser; every other command is that of
`python -m engine` in a checkout.
"""

import subprocess
import sys

from metascope.lab_packages import ROOT


def main(words: list[str]) -> int:
    """Run one command; return its exit code.

    Args:
        words: The command and its arguments.
    """
    if words[:1] == ["lab"]:
        start = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(ROOT / "app" / "main.py"),
        ]
        return subprocess.call([*start, *words[1:]], cwd=ROOT)
    from engine.__main__ import main as run_command

    return run_command(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
