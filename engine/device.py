"""Where a run computes, and the record of what computed it.

Numbers depend on the device, the thread count, the versions, the processor and the
settings of its arithmetic, so these travel with every run as its fingerprint.
"""

import os
import platform
from importlib import metadata

import torch

from engine import __version__, portable_arithmetic
from engine.contract.errors import Refused

_RECORDED = ("torch", "numpy", "scipy", "scikit-learn")
_ALLOCATOR = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_")


def devices() -> list[str]:
    """Return the kinds of device that are here, the preferred one first."""
    found = []
    if torch.cuda.is_available():
        found.append("cuda")
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def resolve_device(wish: str) -> str:
    """Settle what a wish means here.

    Args:
        wish: auto, cpu, cuda or mps.

    Raises:
        Refused: If that device is not here.
    """
    here = devices()
    if wish == "auto":
        return here[0]
    if wish not in here:
        raise Refused(
            f"device {wish[:40]!r} is not here; choose auto or {' or '.join(here)}",
            "device",
        )
    return wish


def versions() -> dict[str, str]:
    """Return the versions that a run's numbers can depend on."""
    found = {name: metadata.version(name) for name in _RECORDED}
    return {
        "metascope": __version__,
        "python": platform.python_version(),
        **found,
    }


def fingerprint(device: str) -> dict[str, object]:
    """Describe what computes here.

    Args:
        device: cpu, cuda or mps, as the completed spec says.

    Returns:
        JSON: device and its name, threads, the processor's maker, the instructions
        that torch uses, the settings of arithmetic, system, versions and the
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
