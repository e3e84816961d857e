"""gallery: runs as web pages, made by a process of the app, which draws the figures."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

_ROOT = Path(__file__).parents[2]
_RUNS = "Ids of runs or groups, or their first digits."
_RECORDED = "Show the recorded examples: beside the named runs, or them alone."
_LAB = "Address of a hosted lab; each page then links to it, to recompute its run."
_SITE = "Address where the gallery will be, for previews of links to it."


def gallery(
    out: Annotated[
        Path,
        typer.Option(help="The folder; new, empty, or of an earlier gallery."),
    ],
    runs: Annotated[list[str] | None, typer.Argument(metavar="RUN", help=_RUNS)] = None,
    *,
    recorded: Annotated[bool, typer.Option("--recorded", help=_RECORDED)] = False,
    lab: Annotated[str, typer.Option(help=_LAB)] = "",
    site: Annotated[str, typer.Option(help=_SITE)] = "",
    title: Annotated[str, typer.Option(help="Its title.")] = "Runs of Metascope",
) -> int:
    """Write runs as web pages that any static host serves, and that open from a disk.

    Without RUN, the recorded examples and all finished runs; of a demo's store, which
    holds the runs of its visitors, the examples alone. `python -m app.gallery` does
    the work.
    """
    options = {"--out": str(out), "--lab": lab, "--site": site, "--title": title}
    words = [f"{name}={text}" for name, text in options.items() if text]
    words += ["--recorded"] if recorded else []
    # After "--" a name is never read as an option.
    command = [sys.executable, "-m", "app.gallery", *words, "--", *(runs or [])]
    paths = filter(None, (str(_ROOT), os.environ.get("PYTHONPATH")))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    # In the user's folder, to which --out is relative.
    return subprocess.run(command, env=env, check=False).returncode
