"""Whether a spec can run here, asked of the engine before anything is queued.

Ranges are checked in this process. What needs the parts themselves, such as how many
classes the pools of a file have, is known to the engine alone; one process of it waits
for questions, from the first one on, and ends with this process.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections import OrderedDict

from app.client import process_store
from app.client.catalogue import ROOT
from engine.contract.run_spec import RunSpec, canonical_json
from engine.executors import cores
from engine.executors.demo import is_demo, worker_settings

KEPT = 256  # answers
IDLE = 600.0  # seconds without a question after which the process ends
DEMO_IDLE = 20.0  # on a host, which may have little memory: it holds 240 MB
NO_IDLE = 0.1  # where that is what a worker then lacks
_COMMAND = (sys.executable, "-m", "engine", "check-specs")


class SpecChecker:
    """Asks one engine process, one spec at a time.

    A newer question of the same visitor replaces the one that they no longer have.
    """

    def __init__(self, command: tuple[str, ...] = _COMMAND) -> None:
        self._command = command
        self._changed = threading.Condition()
        self._answers: OrderedDict[str, str] = OrderedDict()
        # The newest question of each who asks; the first to ask is answered first.
        self._wanted: OrderedDict[str | None, tuple[str, RunSpec]] = OrderedDict()
        self._is_answering = False
        self._thread: threading.Thread | None = None

    def is_busy(self) -> bool:
        """Whether others are answered first."""
        with self._changed:
            return self._is_answering or bool(self._wanted)

    def refusal(self, key: str, spec: RunSpec, seconds: float) -> str | None:
        """Return why a spec cannot run here; empty if it can.

        Args:
            key: Its run key.
            spec: Completed.
            seconds: How long to wait for the answer.

        Returns:
            The reason in one sentence; None if it is not known in time.
        """
        with self._changed:
            if key not in self._answers:
                self._wanted[_asker()] = key, spec
                self._changed.notify_all()
                self._start_thread()
            self._changed.wait_for(lambda: key in self._answers, timeout=seconds)
            return self._answers.get(key)

    def _start_thread(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._answer_all, daemon=True)
            self._thread.start()

    def _answer_all(self) -> None:
        """Answer what is asked until the process ends; the next question starts one."""
        try:
            with (
                contextlib.suppress(OSError, ValueError),
                self._start_process() as asked,
            ):
                while line := self._answer_next(asked):
                    self._keep(*line)
        finally:
            self._is_answering = False

    def _start_process(self) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            self._command,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", **worker_settings()},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # a Ctrl-C in the terminal is for the server
        )

    def _answer_next(self, asked: "subprocess.Popen[str]") -> tuple[str, str] | None:
        """Wait for a question and ask it; None if none came or the process ended."""
        with self._changed:
            self._is_answering = False
            # An idle process gives its memory back; the next question starts another.
            self._changed.wait_for(lambda: bool(self._wanted), timeout=_idle_seconds())
            if not self._wanted:
                return None
            _, (key, spec) = self._wanted.popitem(last=False)
            self._is_answering = True
        if asked.stdin is None or asked.stdout is None:
            return None
        body = canonical_json(spec.model_dump(mode="json"))
        asked.stdin.write(body.decode() + "\n")
        asked.stdin.flush()
        line = asked.stdout.readline()
        return (key, str(json.loads(line)["message"])) if line else None

    def _keep(self, key: str, message: str) -> None:
        with self._changed:
            self._answers[key] = message
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)
            self._changed.notify_all()


def _idle_seconds() -> float:
    """Return how long the engine waits for another question before it ends."""
    if cores.is_memory_scarce():
        return NO_IDLE
    return DEMO_IDLE if is_demo() else IDLE


def _asker() -> str | None:
    """Return who asks: a visitor of the demo; None in a local lab."""
    return process_store.current_visitor().workspace if is_demo() else None


checker = SpecChecker()
