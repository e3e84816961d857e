"""Ends what a Ray cluster of this machine leaves once its command is gone.

`python -m engine.executors.ray_reaper FOLDER` waits for the end of its standard input,
which the command holds open, however it ends; it then kills the processes that have a
file of the folder open, as all of a cluster's have their logs, and removes the folder.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil

KILL_TIMEOUT = 10.0  # seconds until the folder is removed, whoever still lives


@contextlib.contextmanager
def reap_afterwards(folder: str) -> Iterator[None]:
    """Let nothing of a cluster outlive this block, nor this process if it is killed.

    Args:
        folder: The cluster's own; it is removed.
    """
    command = [sys.executable, "-m", "engine.executors.ray_reaper", folder]
    # A session of its own, as Ctrl-C is for the command alone.
    reaper = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)
    try:
        yield
    finally:
        reaper.communicate()  # closes the pipe


def kill_members(folder: str, command: int = 0) -> int:
    """Kill the processes of a cluster; return how many there were.

    Args:
        folder: The cluster's own.
        command: The process that started it, which has a log there, too, and lives on.
    """
    killed = 0
    for each in psutil.process_iter():
        with contextlib.suppress(psutil.Error):  # another user's, or gone meanwhile
            if each.pid == command:
                continue
            files = [file.path for file in each.open_files()]
            if any(path.startswith(f"{folder}/") for path in files):
                each.kill()
                killed += 1
    return killed


def main(folder: str) -> None:
    """Wait for the end of the standard input, then end the cluster."""
    command = os.getppid()
    sys.stdin.buffer.read()
    deadline = time.monotonic() + KILL_TIMEOUT
    # Again until none is left: one may have started another meanwhile.
    while kill_members(folder, command) and time.monotonic() < deadline:
        time.sleep(0.2)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1])
