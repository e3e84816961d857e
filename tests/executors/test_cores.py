"""A container has the cores and the memory of its control groups."""

import os
from pathlib import Path

import pytest

from engine.executors import cores
from engine.executors.cores import core_count
from engine.runner.control_groups import cpu_limits, memory_limits

V2, V1 = "0::/lab/web\n", "4:memory:/lab/web\n2:cpu,cpuacct:/lab/web\n"
GROUPS = "sys/fs/cgroup"


@pytest.fixture(autouse=True)
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        os, "sched_getaffinity", lambda pid: set(range(8)), raising=False
    )


def machine(root: Path, cgroup: str, files: dict[str, str]) -> Path:
    for name, text in {"proc/self/cgroup": cgroup, **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


@pytest.mark.parametrize(
    ("cgroup", "files", "count"),
    [
        (V2, {f"{GROUPS}/cpu.max": "200000 100000\n"}, 2),
        (V2, {f"{GROUPS}/lab/web/cpu.max": "100000 100000"}, 1),
        (V2, {f"{GROUPS}/lab/cpu.max": "300000 100000"}, 3),  # of the group around it
        (V2, {f"{GROUPS}/lab/web/cpu.max": "max 100000"}, 8),
        (V2, {f"{GROUPS}/lab/web/cpu.max": "50000 100000"}, 1),
        (V2, {f"{GROUPS}/lab/web/cpu.max": "150000 100000"}, 1),
        (V2, {f"{GROUPS}/lab/web/cpu.max": "180000 100000"}, 2),
        (V2, {f"{GROUPS}/lab/web/cpu.max": "damaged"}, 8),
        ("0::/../other", {f"{GROUPS}/other/cpu.max": "100000 100000"}, 8),
        (
            V1,
            {
                f"{GROUPS}/cpu,cpuacct/lab/web/cpu.cfs_quota_us": "400000",
                f"{GROUPS}/cpu,cpuacct/lab/web/cpu.cfs_period_us": "100000",
            },
            4,
        ),
        (
            V1,
            {
                f"{GROUPS}/cpu/cpu.cfs_quota_us": "-1",
                f"{GROUPS}/cpu/cpu.cfs_period_us": "100000",
            },
            8,
        ),
        ("", {}, 8),
    ],
)
def test_the_cores_are_those_of_the_tightest_group(
    tmp_path: Path, cgroup: str, files: dict[str, str], count: int
) -> None:
    assert core_count(machine(tmp_path, cgroup, files)) == count


@pytest.mark.parametrize(
    ("cgroup", "files", "limits"),
    [
        (V2, {f"{GROUPS}/lab/memory.max": "1000"}, [1000]),
        (V2, {f"{GROUPS}/lab/web/memory.max": "max"}, []),
        (V1, {f"{GROUPS}/memory/lab/memory.limit_in_bytes": "700"}, [700]),
        (V1, {f"{GROUPS}/memory/memory.limit_in_bytes": "9223372036854771712"}, []),
    ],
)
def test_the_memory_is_that_of_every_group_around(
    tmp_path: Path, cgroup: str, files: dict[str, str], limits: list[int]
) -> None:
    assert memory_limits(machine(tmp_path, cgroup, files)) == limits


def test_without_any_group_there_is_no_limit(tmp_path: Path) -> None:
    assert (cpu_limits(tmp_path), memory_limits(tmp_path)) == ([], [])
    assert core_count(tmp_path) == 8
    assert cores.core_count() >= 1
