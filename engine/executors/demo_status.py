"""What the operator of a demo sees of it: one record, with nothing of any visitor."""

import contextlib
import os
import platform
import subprocess
from importlib import metadata

from engine import __version__
from engine.executors.cores import core_count, worker_count, worker_niceness
from engine.executors.demo import MIB, MODE, DemoLimits, demo_limits, is_demo
from engine.executors.supervisor_control import ROOT, supervisor_status
from engine.store import Store
from engine.store.activity import activity
from engine.store.eviction import disk_usage
from engine.store.idle_workspaces import workspace_folders

_PACKAGES = ("torch", "streamlit")


def collect_status(store: Store) -> dict[str, dict[str, object]]:
    """Return the state of a demo, by topic and name.

    Args:
        store: The shared store.

    Raises:
        Refused: If a setting cannot be understood.
    """
    limits, seen = demo_limits(), activity(store.index)
    awake = supervisor_status(store.home)
    return {
        "mode": {MODE: "demo" if is_demo() else "local"},
        "limits": _describe_limits(limits),
        "machine": {
            "load": [round(each, 2) for each in os.getloadavg()],
            "cores": core_count(),
            "workers": worker_count(),
            "niceness": worker_niceness(),
        },
        "engine": {
            "alive": bool(awake),
            "workers": awake.workers,
            "trouble": awake.trouble,
        },
        "queue": {
            "waiting": seen.waiting,
            "oldest_seconds": round(seen.oldest, 1),
            "running": seen.running,
            "batches_beside": seen.shards,
            "refused_since_start": seen.refused,
        },
        "runs_of_24_hours": dict(seen.today),
        "workspaces": {"count": sum(1 for _ in workspace_folders(store.home))},
        "store": {
            "mib": round(disk_usage(store.home) / MIB, 1),
            "limit_mib": limits.store_disk // MIB,
            "takes_new_runs": not seen.is_full,
        },
        "versions": _versions(),
    }


def _describe_limits(limits: DemoLimits) -> dict[str, object]:
    """Return the limits in the units of the settings that set them."""
    return {
        "running": limits.running,
        "queued": limits.queued,
        "run_minutes": limits.run_seconds // 60,
        "run_million_gradients": limits.run_gradients // 10**6,
        "run_memory_mib": limits.run_memory // MIB,
        "run_disk_mib": limits.run_disk // MIB,
        "idle_hours": limits.idle_seconds // 3600,
        "upload_mib": limits.upload // MIB,
    }


def _versions() -> dict[str, object]:
    found: dict[str, object] = {"metascope": __version__, "commit": _commit()}
    found["python"] = platform.python_version()
    for name in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _commit() -> str:
    """Return the commit of the code; empty where it is not known."""
    asked = ("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
