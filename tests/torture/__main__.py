"""Run the torture: `python -m tests.torture [NAME …] [--quick] [--count N]`."""

import argparse
import importlib
import sys
import tempfile
import time
from pathlib import Path

from tests.torture.items import ITEMS, Item, SkippedError

ROOMS = (
    "kills",
    "shards",
    "web",
    "visitors",
    "isolation",
    "faults",
    "damage",
    "races",
    "scale",
)


def main() -> int:
    """Try the named promises, or all, and print one line for each."""
    for room in ROOMS:
        importlib.import_module(f"tests.torture.{room}")
    asked = _asked()
    unknown = [name for name in asked.names if name not in ITEMS]
    if unknown:
        sys.stderr.write(f"no such item: {unknown[0]}; there are {', '.join(ITEMS)}\n")
        return 2
    chosen = [ITEMS[name] for name in asked.names or sorted(ITEMS)]
    if asked.list:
        for each in chosen:
            _say(f"{each.name:4} {each.full:>6} × {each.deed}")
        return 0
    held = [_tried(each, asked.count or _count(each, asked.quick)) for each in chosen]
    return 0 if all(held) else 1


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.torture", description=__doc__
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="such as A1")
    parser.add_argument("--quick", action="store_true", help="small counts")
    parser.add_argument("--count", type=int, help="another count for what is named")
    parser.add_argument("--list", action="store_true", help="say what there is")
    return parser.parse_args()


def _count(each: Item, quick: bool) -> int:
    return each.quick if quick else each.full


def _tried(each: Item, count: int) -> bool:
    start = time.monotonic()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        try:
            outcome = each.trial(Path(folder) / "home", count)
            verdict, figures = ("held" if outcome.held else "BROKEN"), outcome.figures
        except SkippedError as reason:
            verdict, figures = "skipped", str(reason)
        except Exception as error:
            verdict, figures = "BROKEN", f"{type(error).__name__}: {error}"
    spent = time.monotonic() - start
    _say(f"{each.name:4} {verdict:8} {spent:7.1f} s  {each.deed}: {figures}")
    return verdict != "BROKEN"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
