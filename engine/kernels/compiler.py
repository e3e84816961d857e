"""Compilation by numba: its options, its cache, and why there may be none.

Nothing here imports numba until a kernel is first used, which takes about two seconds;
later processes read the compiled code from the cache.
"""

import hashlib
import importlib
import os
from functools import cache
from importlib import metadata
from pathlib import Path
from types import ModuleType

from platformdirs import user_cache_path

from engine.garbage_collection import no_collections

# What may be reordered within one member. Without "nnan" and "ninf": a member that
# diverged must stay NaN or infinite.
FAST = {"contract", "reassoc", "arcp", "nsz"}
# Where the order of operations is what makes the result accurate.
EXACT = {"contract"}
_KERNELS = "engine.kernels.dense_kernels"


def cache_folder() -> Path | None:
    """Return the folder of compiled code; None if it cannot be written to."""
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    folder = Path(chosen) if chosen else user_cache_path("metascope") / "kernels"
    # numba compares only the file of the kernel itself, not those that it calls.
    sources = sorted(Path(__file__).parent.glob("*.py"))
    code = b"".join(path.read_bytes() for path in sources)
    folder /= hashlib.sha256(code).hexdigest()[:16]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


@cache
@no_collections()
def load_kernels() -> ModuleType | str:
    """Import the kernels and compile them, once per process.

    Returns:
        Their module; or why there is none, and torch computes everything.
    """
    try:
        import numba

        if numba.config.DISABLE_JIT:
            return "NUMBA_DISABLE_JIT is set"
        # Read where kernels are declared; by itself, numba writes beside the sources.
        numba.config.CACHE_DIR = str(cache_folder() or "")
        kernels = importlib.import_module(_KERNELS)
        kernels.check()
    except Exception as error:  # a compiler fails in many ways; none ends a run
        first = str(error).strip().partition("\n")[0][:160]
        return f"{type(error).__name__}: {first}"
    return kernels


def numba_version() -> str:
    """Return the installed version of numba; empty if there is none."""
    try:
        return metadata.version("numba")
    except metadata.PackageNotFoundError:
        return ""
