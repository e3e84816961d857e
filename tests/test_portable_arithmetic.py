"""Numbers travel: every library is held to arithmetic that each x86 machine has."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import portable_arithmetic
from engine.device import fingerprint
from engine.protocol import square_root
from tests.same_machine import same_machine

ROOT = Path(__file__).parents[1]
# What is rounded by an estimate of the processor's own: `engine.portable_arithmetic`.
ESTIMATED = r"\.(?:sqrt|log2|log10|atan|asin|acos|tan)\(\)"
ESTIMATED += r"|torch\.(?:sqrt|log2|log10|atan2?|asin|acos|tan)\("
LOADED = """
import json, os, engine, numpy, scipy.linalg, torch
from numpy._core._multiarray_umath import __cpu_features__ as features
from threadpoolctl import threadpool_info
from engine.portable_arithmetic import SETTINGS, describe_arithmetic
blas = {x["architecture"] for x in threadpool_info() if x["internal_api"] == "openblas"}
torch.mm(torch.ones(2, 2), torch.ones(2, 2))
print(json.dumps({
    "numpy": [name for name in SETTINGS["NPY_DISABLE_CPU_FEATURES"].split()
              if features.get(name)],
    "torch": torch.backends.cpu.get_cpu_capability(),
    "blas": sorted(blas),
    "mkl": os.environ.get("MKL_CBWR", ""),
    "description": describe_arithmetic(),
}))
"""
avx2 = pytest.mark.skipif(not portable_arithmetic.has_avx2(), reason="needs AVX2")


def loaded(**environment: str) -> dict[str, object]:
    """Return what the libraries say of themselves in a fresh process."""
    outside = {
        k: v for k, v in os.environ.items() if k not in portable_arithmetic.SETTINGS
    }
    outside.pop(portable_arithmetic.CHOICE, None)
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        env=outside | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@avx2
def test_a_process_of_the_engine_computes_portably_if_asked() -> None:
    found = loaded(METASCOPE_ARITHMETIC="portable")
    assert found == {
        "numpy": [],
        "torch": "AVX2",
        "blas": ["Haswell"],
        "mkl": "COMPATIBLE",
        "description": "portable",
    }


def test_native_arithmetic_leaves_the_libraries_alone() -> None:
    found = loaded()
    assert (found["mkl"], found["description"]) == ("", "native")


@avx2
def test_a_setting_of_ones_own_stands_and_is_named() -> None:
    found = loaded(METASCOPE_ARITHMETIC="portable", ATEN_CPU_CAPABILITY="default")
    assert found["torch"] == "DEFAULT"
    assert "ATEN_CPU_CAPABILITY=default" in str(found["description"])


@pytest.mark.parametrize(
    ("flags", "set_"), [("fpu sse4_2", False), ("fpu fma avx2", True)]
)
def test_only_a_processor_with_avx2_is_asked_for_it(
    flags: str, set_: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "cpuinfo"
    told.write_text(
        f"processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: {flags}\n\n"
    )
    monkeypatch.setattr(portable_arithmetic, "_CPUINFO", told)
    monkeypatch.setattr(portable_arithmetic.platform, "machine", lambda: "x86_64")
    monkeypatch.setenv(portable_arithmetic.CHOICE, portable_arithmetic.PORTABLE)
    for name in portable_arithmetic.SETTINGS:
        monkeypatch.delenv(name, raising=False)
    portable_arithmetic.apply_settings()
    assert portable_arithmetic.read_processor()[0] == "GenuineIntel"
    assert (portable_arithmetic.describe_arithmetic() == "portable") is set_


def test_two_makers_or_two_arithmetics_are_not_one_machine() -> None:
    here = fingerprint("cpu")
    assert same_machine(here, here | {"device_name": "another", "allocator": {}})
    for name in ("cpu_vendor", "cpu_capability", "arithmetic", "versions", "threads"):
        assert not same_machine(here, here | {name: "another"}), name


def test_a_square_root_is_the_nearest_float() -> None:
    bits = np.random.default_rng(0).integers(0, 0x7F800000, 200_000, dtype=np.uint32)
    x = bits.view(np.float32)  # every positive float is as likely as any other
    exact = np.sqrt(x.astype(np.longdouble)).astype(np.float32)
    np.testing.assert_array_equal(square_root(torch.from_numpy(x)).numpy(), exact)


def test_a_square_root_has_the_edges_and_the_slope_of_torch() -> None:
    edges = torch.tensor([0.0, -0.0, torch.inf, torch.nan, -1.0])
    torch.testing.assert_close(square_root(edges), edges.sqrt(), equal_nan=True)
    x = torch.tensor([0.25, 4.0, 9.0], requires_grad=True)
    (slope,) = torch.autograd.grad(square_root(x).sum(), x)
    torch.testing.assert_close(slope, torch.tensor([1.0, 0.25, 1 / 6]))
    double = torch.tensor([2.0], dtype=torch.float64)
    assert square_root(double).dtype == torch.float64


def test_nothing_in_the_engine_takes_a_root_that_processors_round_apart() -> None:
    sources = list((ROOT / "engine").rglob("*.py"))
    assert len(sources) > 100
    found = {
        str(path.relative_to(ROOT)): hits
        for path in sources
        if (hits := re.findall(ESTIMATED, path.read_text()))
    }
    assert list(found) == ["engine/protocol/meta_types.py"]
