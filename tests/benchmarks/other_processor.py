"""Counts equal numbers on this processor and on an emulated one.

`python -m tests.benchmarks.other_processor [PRESET…]` runs presets twice: as they are,
and under valgrind, which shows them an Intel Haswell (its name, its caches, no AVX-512)
and translates every instruction. It takes about six minutes for the three smoke
presets, and needs valgrind. With other folders of results at hand (`--against DIR`,
holding PRESET.csv or PRESET.csv.gz), these are counted too.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

PRESETS = ("smoke", "few_shot_smoke", "search_smoke")
EMULATED = ("valgrind", "--tool=none", "--quiet")


def values(preset: str, folder: Path, start: tuple[str, ...] = ()) -> pd.Series:
    """Run a preset in a process of its own; returns its numbers as they are written."""
    out = folder / f"{'-'.join(start[:1])}{preset}"
    command = [*start, sys.executable, "-m", "engine", "run", preset, "--out", str(out)]
    env = os.environ | {"METASCOPE_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    subprocess.run(command, env=env, check=True, capture_output=True)
    return read(out / "metrics.csv")


def read(file: Path) -> pd.Series:
    """Return the numbers of a metrics.csv as text, so that the last bit counts."""
    return pd.read_csv(file, dtype=str, keep_default_na=False)["value"]


def count_equal(name: str, one: pd.Series, two: pd.Series) -> str:
    """Say how many numbers are equal.

    >>> count_equal("smoke", pd.Series(["1", "2"]), pd.Series(["1", "3"]))
    'smoke: 1 of 2 numbers equal'
    """
    same = sum(a == b for a, b in zip(one, two, strict=True))
    return f"{name}: {same:,} of {len(one):,} numbers equal"


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=list(PRESETS))
    parser.add_argument("--against", type=Path, action="append", default=[])
    asked = parser.parse_args()
    if shutil.which(EMULATED[0]) is None:
        parser.error("valgrind is not here")
    with tempfile.TemporaryDirectory() as folder:
        for preset in asked.presets:
            clock = time.monotonic()
            here = values(preset, Path(folder))
            there = values(preset, Path(folder), EMULATED)
            lines = [count_equal(f"{preset}, emulated processor", here, there)]
            for other in asked.against:
                for file in sorted(other.glob(f"{preset}.csv*")):
                    lines.append(
                        count_equal(f"{preset}, {other.name}", here, read(file))
                    )
            lines.append(f"  {time.monotonic() - clock:.0f} s")
            sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
