"""Float arithmetic that rounds alike on every x86 machine with AVX2.

Libraries choose their kernels by the processor they find, and two kernels add in
two orders. These settings hold all of them to kernels that every such machine has;
they are read when a library is loaded, so they must stand before numpy and torch
are imported: `import engine` sees to that, for workers, command line and tests, where
`METASCOPE_ARITHMETIC=portable` asks for it. Products take longer so, a run 1.0 to 1.2
times as long, which is why it is a choice.

What each is for (found by comparing results bit by bit, and in the manuals):

- torch and oneDNN: AVX-512 kernels sum in wider lanes than AVX2 ones.
- MKL: Intel and AMD processors get different kernels even for one instruction set;
  COMPATIBLE is the only branch that its manual promises to be equal on both.
- OpenBLAS (numpy, scipy): one core type instead of the one that it detects.
- numpy: its AVX-512 `exp`, `log`, `sort` … differ from those of the C library.

One thing no setting reaches: MKL's float32 square root (`torch.sqrt`) starts from an
estimate of the processor's own, and rounds otherwise on Intel than on AMD.
`engine.protocol.square_root` rounds right on both.
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
}
_CPUINFO = Path("/proc/cpuinfo")
_WINDOWS_AVX2 = 40  # PF_AVX2_INSTRUCTIONS_AVAILABLE


def apply_settings() -> None:
    """Set what is asked for and not set yet; without AVX2 there is nothing to set.

    Otherwise every library chooses its fastest code: numbers then repeat, bit for bit,
    on one kind of processor, and agree closely between two.
    """
    if os.environ.get(CHOICE, NATIVE) == PORTABLE and has_avx2():
        for name, value in SETTINGS.items():
            os.environ.setdefault(name, value)


def describe_arithmetic() -> str:
    """Say which arithmetic this process computes with, for a run's fingerprint.

    `portable` gives the numbers of every x86 machine with AVX2; `native` those of
    this machine; settings of one's own are named.
    """
    found = {name: os.environ.get(name, "") for name in SETTINGS}
    if found == SETTINGS:
        return PORTABLE
    own = [f"{name}={value}" for name, value in found.items() if value]
    return ", ".join(own) or NATIVE


def read_processor() -> tuple[str, frozenset[str]]:
    """Return the maker's name and the instruction sets, as far as they are told.

    Both are empty where the system has no such file.
    """
    try:
        lines = _CPUINFO.read_text().partition("\n\n")[0].splitlines()
    except OSError:
        return "", frozenset()
    pairs = (line.partition(":") for line in lines)
    told = {name.strip(): value.strip() for name, _, value in pairs}
    return told.get("vendor_id", ""), frozenset(told.get("flags", "").split())


def has_avx2() -> bool:
    """Say whether this is an x86 processor with AVX2 and fused multiply-add."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    if windows := getattr(ctypes, "windll", None):
        return bool(windows.kernel32.IsProcessorFeaturePresent(_WINDOWS_AVX2))
    return {"avx2", "fma"} <= read_processor()[1]
