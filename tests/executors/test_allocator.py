"""What the memory allocator is told, as another process sees it."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")

RELEASE = """
import psutil
from engine.executors.allocator import release_free_memory

held = lambda: psutil.Process().memory_info().rss / 2**20
blocks = [bytes(1000) for _ in range(100_000)]
blocks = blocks[::100] + blocks[-1:]  # one in a hundred keeps its neighbours' place
before = held()
release_free_memory()
print(before - held())
"""


def output_of(code: str) -> str:
    # Another test of this process may have set it.
    told = {n: v for n, v in os.environ.items() if n != "ARROW_DEFAULT_MEMORY_POOL"}
    found = subprocess.run(
        [sys.executable, "-c", code], env=told, capture_output=True, text=True
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


def test_free_memory_between_blocks_in_use_goes_back() -> None:
    assert float(output_of(RELEASE)) > 30  # of about 100 MiB


def test_arrow_allocates_as_all_others_do() -> None:
    told = "from engine.executors.allocator import limit_heaps; limit_heaps();"
    asked = "import pyarrow as pa; print(pa.default_memory_pool().backend_name)"
    assert output_of(told + asked) == "system"
    assert output_of(asked) != "system"
