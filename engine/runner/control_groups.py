"""The control groups of this process: what a container may use of its machine.

A limit of any group around a process holds for it. Version 2 of control groups has one
tree, version 1 has one for each kind of limit; a machine may have both.
"""

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

_TREE = "sys/fs/cgroup"
_UNLIMITED = 2**60  # version 1 writes a number near 2**63 where there is no limit


def memory_limits(root: Path = Path("/")) -> list[int]:
    """Return the memory limits that hold for this process, in bytes.

    Args:
        root: Where the system's files are; tests pass their own.
    """
    found = []
    for folder in _groups(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            words = _words(folder / name)
            if len(words) == 1 and words[0].isdecimal():  # not "max"
                found.append(int(words[0]))
    return [limit for limit in found if limit < _UNLIMITED]


def cpu_limits(root: Path = Path("/")) -> list[float]:
    """Return the CPU limits that hold for this process, in cores.

    Args:
        root: Where the system's files are; tests pass their own.
    """
    found = []
    for folder in _groups(root, "cpu"):
        for words in (
            _words(folder / "cpu.max"),
            _words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us"),
        ):
            # "max" in version 2 and "-1" in version 1 are no limit
            if len(words) == 2 and all(word.isdecimal() for word in words):
                found.append(int(words[0]) / max(1, int(words[1])))
    return [limit for limit in found if limit > 0]


def _groups(root: Path, kind: str) -> Iterator[Path]:
    """Yield the folders of the groups that this process is in, and of those around."""
    trees = {root / _TREE: PurePosixPath("/"), root / _TREE / kind: PurePosixPath("/")}
    for line in _lines(root / "proc/self/cgroup"):
        _, _, rest = line.partition(":")
        kinds, _, path = rest.partition(":")
        inside = PurePosixPath(path)
        # A container that sees a group as "/../other" has only its own root.
        if not path.startswith("/") or ".." in inside.parts:
            continue
        if not kinds:  # version 2
            trees[root / _TREE] = inside
        elif kind in kinds.split(","):  # its folder may bear all names, or one
            trees[root / _TREE / kinds] = trees[root / _TREE / kind] = inside
    for tree, inside in trees.items():
        for group in (inside, *inside.parents):
            yield tree / str(group).lstrip("/")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _words(path: Path) -> list[str]:
    return " ".join(_lines(path)).split()
