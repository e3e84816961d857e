"""Compilation of the outer step with torch.compile, checked against the eager result.

The first compiled gradient is compared with the eager one before the first meta-step.
If anything fails, the run continues eagerly and records the reason.
"""

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from functools import partial
from typing import TypeVar

from torch import Tensor

from engine.algorithms.few_shot.compiled_outer_gradients import (
    CompiledGradients,
    compiler,
    inductor,
    relative_gaps,
)
from engine.contract.events import Artefact, Block, Event, Note, Timing
from engine.protocol import (
    Compile,
    EpisodeBatch,
    Learner,
    Outer,
    TaskBatch,
    run_eagerly,
)
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.state import RunState

T = TypeVar("T")
# Computes the coming meta-step, with its gradient function compiled as given.
OuterStepFunction = Callable[[Compile], Outer]

TOLERANCE = 1e-3  # relative difference of the outer gradients, float32
NOTE_INTERVAL = 1.0  # seconds between two notes


def choose_compilation(
    context: RunContext,
    entry: LearnerEntry,
    tasks: TaskBatch,
    compute_step: OuterStepFunction,
    state: RunState,
) -> Generator[Event, None, Compile]:
    """Decide whether a learner's outer steps are compiled.

    The decision is kept in the checkpoint: a resumed run continues as it began.

    Args:
        context: The run; nothing is compiled unless its spec says so.
        entry: The learner.
        tasks: Its validation tasks.
        compute_step: Computes the coming meta-step; it may be called twice.
        state: Stores the decision.

    Yields:
        Notes while it compiles; a remark if it stays eager.

    Returns:
        What takes the gradients: compiled or eager.
    """
    known = state.learner(entry.label)
    decided = known.compiled
    if not context.spec.compile or decided is False:
        return run_eagerly
    compiled = CompiledGradients(inductor)
    reason = why_not_compiled(entry.learner, tasks)
    if not reason:
        first = decided is None  # a resumed run has been checked before
        reason = yield from _compile_and_check(entry, compiled, compute_step, first)
    known.compiled = not reason
    if not reason:
        return compiled
    yield Note(f"train {entry.label}", 0.0, f"not compiled: {reason}")
    info = {f"compile:{entry.label}": reason}
    yield Artefact(f"remarks compile {entry.label}", "remarks", {}, info)
    return run_eagerly


def why_not_compiled(learner: Learner, tasks: TaskBatch) -> str:
    """Return why a learner's outer steps cannot be compiled; empty if they can."""
    if not isinstance(tasks, EpisodeBatch):
        return "only few-shot training is compiled, so it was trained eagerly"
    if not learner.compiles:
        return "its meta-step cannot be compiled, so it was trained eagerly"
    if tasks.online and not getattr(learner, "reads_sequences", False):
        return (
            "each meta-step ends its online episodes at another length, so it was "
            "trained eagerly"
        )
    if tasks.layout.buffers:
        return "its net keeps running statistics, so it was trained eagerly"
    if not compiler():
        return "no C++ compiler was found (CXX, c++, g++, clang++), so it ran eagerly"
    return ""


def _compile_and_check(
    entry: LearnerEntry,
    compiled: CompiledGradients,
    compute_step: OuterStepFunction,
    first: bool,
) -> Generator[Event, None, str]:
    """Compile and, the first time, compare with the eager result.

    Returns:
        What is wrong with it; empty if nothing is.
    """
    stage, clock = f"train {entry.label}", time.perf_counter()
    note = Note(stage, 0.0, "compiling the meta-step once; this can take minutes")
    try:
        outer = yield from run_in_thread(partial(compute_step, compiled), note)
    except Exception as error:  # a compiler fails in many ways; none ends a run
        first = str(error).strip().partition("\n")[0][:160]
        return f"compiling failed ({type(error).__name__}: {first}), so it ran eagerly"
    yield Timing(entry.label, "compile", time.perf_counter() - clock)
    if not first:
        return ""
    eager = compute_step(run_eagerly)
    gap = relative_gaps(outer.grads or {}, eager.grads or {})
    array = gap.cpu().numpy()
    yield Block(entry.label, "train", "compile_gap", ("replicate",), array)
    return _describe_gap(gap)


def _describe_gap(gap: Tensor) -> str:
    worst = float(gap.max())
    if worst <= TOLERANCE:
        return ""
    return (
        f"its first compiled gradient differed from the eager one by {worst:.2g} of "
        f"its norm, more than the {TOLERANCE:g} allowed, so it was trained eagerly"
    )


def run_in_thread(work: Callable[[], T], note: Note) -> Generator[Note, None, T]:
    """Run a slow function in a thread; yield a note every second until it returns.

    Closing the generator does not stop the thread; its result is then dropped.

    Args:
        work: The function.
        note: What to yield meanwhile.

    Returns:
        The function's result; what it raises is raised here.
    """
    done: Future[T] = Future()

    def go() -> None:
        try:
            done.set_result(work())
        except (
            BaseException
        ) as error:  # raised again by `result` in the caller's thread
            done.set_exception(error)

    threading.Thread(target=go, daemon=True).start()
    yield note
    while not wait([done], NOTE_INTERVAL).done:
        yield note
    return done.result()
