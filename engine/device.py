"""The device that a run uses, and the fingerprint that records it.

Results depend on the device, the thread count, the versions, the processor and its
floating-point settings, so every run stores these as its fingerprint.
"""

import os
import platform
from importlib import metadata

import torch

from engine import __version__, portable_arithmetic
from engine.contract.errors import Refused
from engine.kernels.compiler import numba_version

_RECORDED = ("torch", "numpy", "scipy", "scikit-learn")
_ALLOCATOR = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def devices() -> list[str]:
    """Return the kinds of device that are available, the preferred one first."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def resolve_device(wish: str) -> str:
    """Choose the device for a request.

    Args:
        wish: auto, cpu, cuda or mps.

    Returns:
        cpu, cuda or mps.

    Raises:
        Refused: If that device is not available.
    """
    here = devices()
    if wish == "auto":
        return here[0]
    if wish not in here:
        raise Refused(
            f"device {wish[:40]!r} is not available; choose auto or "
            f"{' or '.join(here)}",
            "device",
        )
    return wish


def versions() -> dict[str, str]:
    """Return the versions that a run's results can depend on, by package."""
    found = {name: metadata.version(name) for name in _RECORDED}
    # Without numba, torch computes what its kernels would, and rounds otherwise.
    found |= {"numba": numba_version()} if numba_version() else {}
    return {
        "metascope": __version__,
        "python": platform.python_version(),
        **found,
    }


def fingerprint(device: str) -> dict[str, object]:
    """Describe the hardware and software that a run uses.

    Args:
        device: cpu, cuda or mps, as in the completed spec.

    Returns:
        JSON: device and its name, torch threads, CPU vendor, the instruction set that
        torch uses, floating-point settings, C library, system, versions and the
        allocator's settings.
    """
    return {
        "device": device,
        "device_name": _device_name(device),
        "threads": torch.get_num_threads(),
        "cpu_vendor": portable_arithmetic.read_processor()[0],
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "arithmetic": portable_arithmetic.describe_arithmetic(),
        "libc": " ".join(platform.libc_ver()).strip(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": versions(),
        "allocator": {name: os.environ.get(name, "") for name in _ALLOCATOR},
    }


def _device_name(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    return platform.processor() or platform.machine()
