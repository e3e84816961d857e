"""How a training goes: compiled where a run asks for it and it can be, or eagerly.

What is compiled is held against the eager gradient before the first meta-step; whatever
stands in the way, the run goes on eagerly and says so.
"""

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from functools import partial
from typing import TypeVar

from torch import Tensor

from engine.algorithms.few_shot.compiled_gradients import (
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
# How the gradients of the meta-step at hand are taken → what it comes to.
OuterStepFunction = Callable[[Compile], Outer]

TOLERANCE = 1e-3  # relative difference of the outer gradients, float32
NOTE_INTERVAL = 1.0  # seconds between two signs of life


def choose_compilation(
    context: RunContext,
    entry: LearnerEntry,
    exam: TaskBatch,
    teach: OuterStepFunction,
    state: RunState,
) -> Generator[Event, None, Compile]:
    """Settle how the gradients of a learner's lessons are taken; return that.

    What was settled outlives a kill: a run that goes on does as it did before.

    Args:
        context: The run; nothing is compiled unless its spec says so.
        entry: The learner.
        exam: Its validation tasks.
        teach: Does the meta-step at hand; it may be done twice.
        state: Remembers what was settled.
    """
    known = state.learner(entry.label)
    settled = known.compiled
    if not context.spec.compile or settled is False:
        return run_eagerly
    made = CompiledGradients(inductor)
    reason = why_not_compiled(entry.learner, exam)
    if not reason:
        reason = yield from _compile_and_check(entry, made, teach, settled is None)
    known.compiled = not reason
    if not reason:
        return made
    yield Note(f"train {entry.label}", 0.0, f"not compiled: {reason}")
    info = {f"compile:{entry.label}": reason}
    yield Artefact(f"remarks compile {entry.label}", "remarks", {}, info)
    return run_eagerly


def why_not_compiled(learner: Learner, tasks: TaskBatch) -> str:
    """Say why a learner's lessons are not compiled, or nothing."""
    if not isinstance(tasks, EpisodeBatch):
        return "only few-shot lessons are compiled, so it was trained eagerly"
    if not learner.compiles:
        return "what it descends changes while it trains, so it was trained eagerly"
    if tasks.layout.buffers:
        return "its net keeps running statistics, so it was trained eagerly"
    if not compiler():
        return "no C++ compiler was found (CXX, c++, g++, clang++), so it ran eagerly"
    return ""


def _compile_and_check(
    entry: LearnerEntry,
    made: CompiledGradients,
    teach: OuterStepFunction,
    judged: bool,
) -> Generator[Event, None, str]:
    """Compile, and hold the result against eager; return what is wrong with it."""
    stage, clock = f"train {entry.label}", time.perf_counter()
    note = Note(stage, 0.0, "compiling the meta-step, once; it takes up to minutes")
    try:
        quick = yield from run_in_thread(partial(teach, made), note)
    except Exception as error:  # a compiler fails in many ways; none ends a run
        first = str(error).strip().partition("\n")[0][:160]
        return f"compiling failed ({type(error).__name__}: {first}), so it ran eagerly"
    yield Timing(entry.label, "compile", time.perf_counter() - clock)
    if not judged:
        return ""
    gap = relative_gaps(quick.grads or {}, teach(run_eagerly).grads or {})
    array = gap.cpu().numpy()
    yield Block(entry.label, "train", "compile_gap", ("replicate",), array)
    return _describe_gap(gap)


def _describe_gap(gap: Tensor) -> str:
    worst = float(gap.max())
    if worst <= TOLERANCE:
        return ""
    return (
        f"its first compiled gradient was {worst:.2g} of the eager one's size away "
        f"from it, and {TOLERANCE:g} is allowed, so it was trained eagerly"
    )


def run_in_thread(work: Callable[[], T], note: Note) -> Generator[Note, None, T]:
    """Do what takes long in a thread of its own; yield a note now and then.

    Closing the generator leaves the thread to its end; nobody waits for it.
    """
    done: Future[T] = Future()

    def go() -> None:
        try:
            done.set_result(work())
        except BaseException as error:
            done.set_exception(error)

    threading.Thread(target=go, daemon=True).start()
    yield note
    while not wait([done], NOTE_INTERVAL).done:
        yield note
    return done.result()
