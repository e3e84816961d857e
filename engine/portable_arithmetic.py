"""Floating-point arithmetic that rounds identically on every x86 machine with AVX2.

Libraries choose their kernels by the processor they find, and different kernels sum
in different orders. These settings restrict all of them to kernels that every such
machine has. A library reads them when it is loaded, so they must be set before numpy
and torch are imported: `import engine` does that for workers, command line and tests
if `METASCOPE_ARITHMETIC=portable` is set. It is opt-in because matrix products become
slower; a run takes 1.0 to 1.2 times as long.

What each setting is for (found by comparing results bit by bit, and in the manuals):

- torch and oneDNN: AVX-512 kernels sum in wider lanes than AVX2 ones.
- MKL: Intel and AMD processors get different kernels even for one instruction set;
  COMPATIBLE is the only branch that its manual promises to be equal on both.
- OpenBLAS (numpy, scipy): one core type instead of the one that it detects.
- numpy: its AVX-512 `exp`, `log`, `sort` … differ from those of the C library.
- numba: it compiles for one type of processor instead of the one that it detects.

One thing no setting controls: MKL's float32 square root (`torch.sqrt`) starts from a
hardware estimate, and rounds differently on Intel and on AMD.
`engine.protocol.square_root` rounds correctly on both.
"""

import ctypes
import os
import platform
from pathlib import Path

CHOICE = "METASCOPE_ARITHMETIC"
PORTABLE, NATIVE = "portable", "native"
SETTINGS = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_CBWR": "COMPATIBLE",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx2,+fma",
}
_CPUINFO = Path("/proc/cpuinfo")
_WINDOWS_AVX2 = 40  # PF_AVX2_INSTRUCTIONS_AVAILABLE


def apply_settings() -> None:
    """Set the environment variables for portable arithmetic, if it is asked for.

    Variables that are already set are kept, and without AVX2 none is set. Every library
    then chooses its fastest code: results repeat bit for bit on one kind of processor,
    and agree closely between two.
    """
    asked = os.environ.get(CHOICE, NATIVE).strip().lower()
    if asked == PORTABLE and has_avx2():
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)


def describe_arithmetic() -> str:
    """Describe this process's floating-point settings, for a run's fingerprint.

    Returns:
        `portable` if results equal those of every x86 machine with AVX2, `native` if
        none of the variables is set; otherwise the variables that are.
    """
    found = {name: os.environ.get(name, "") for name in SETTINGS}
    if found == SETTINGS:
        return PORTABLE
    own = [f"{name}={value}" for name, value in found.items() if value]
    return ", ".join(own) or NATIVE


def read_processor() -> tuple[str, frozenset[str]]:
    """Return the CPU's vendor and instruction sets, from /proc/cpuinfo.

    Both are empty on systems without that file.
    """
    try:
        # A blank line ends the first core's entry; the other cores have the same.
        lines = _CPUINFO.read_text().partition("\n\n")[0].splitlines()
    except OSError:
        return "", frozenset()
    pairs = (line.partition(":") for line in lines)
    fields = {name.strip(): value.strip() for name, _, value in pairs}
    return fields.get("vendor_id", ""), frozenset(fields.get("flags", "").split())


def has_avx2() -> bool:
    """Return whether this is an x86 processor with AVX2 and fused multiply-add."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    if windows := getattr(ctypes, "windll", None):
        return bool(windows.kernel32.IsProcessorFeaturePresent(_WINDOWS_AVX2))
    return {"avx2", "fma"} <= read_processor()[1]
