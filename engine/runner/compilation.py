"""Compilation of meta-steps with torch.compile, checked against the eager result.

The whole meta-step is compiled where it is one function of tensors, else what the
learner differentiates. The first compiled meta-step is compared with the eager one
before training. If anything fails, the run continues eagerly and records the reason.
"""

import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from dataclasses import replace
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor

from engine.algorithms.compiled_graphs import compiler, inductor
from engine.algorithms.few_shot.compiled_outer_gradients import (
    CompiledGradients,
    relative_gaps,
)
from engine.contract.events import Artefact, Block, Event, Note, Timing
from engine.kernels.dense_loss import torch_only
from engine.protocol import EpisodeBatch, OptimizationBatch, Outer, TaskBatch
from engine.runner.compiled_steps import CompiledStep, covers_whole_step
from engine.runner.outer_steps import (
    OuterStep,
    StepResult,
    TakeStep,
    Trees,
    apply_outer,
)
from engine.runner.state import RunState
from engine.runner.training_tasks import TrainingTasks

T = TypeVar("T")

TOLERANCE = 1e-3  # relative difference of the outer gradients, float32
RULE_TOLERANCE = 1e-5  # the outer rule, from the same gradients: round-off alone
NOTE_INTERVAL = 1.0  # seconds between two notes


def choose_compilation(
    eager: OuterStep, tasks: TaskBatch, trees: Trees, state: RunState
) -> Generator[Event, None, TakeStep]:
    """Decide whether a learner's meta-steps are compiled.

    The decision is kept in the checkpoint: a resumed run continues as it began.

    Args:
        eager: Takes a meta-step eagerly; nothing is compiled unless the run's spec
            says so.
        tasks: The validation tasks.
        trees: Those before the coming meta-step.
        state: Stores the decision.

    Yields:
        Notes while it compiles; a remark if it stays eager.

    Returns:
        What takes the meta-steps: compiled or eager.
    """
    label = eager.entry.label
    known = state.learner(label)
    if not eager.context.spec.compile or known.compiled is False:
        return eager
    compiled: TakeStep = eager
    reason = why_not_compiled(eager, tasks)
    if not reason:
        coming = _ComingStep(eager, trees, known.step or 0)
        compiled = compile_step(eager, coming.tasks)
        first = known.compiled is None  # a resumed run has been checked before
        reason = yield from _compile_and_check(coming, compiled, first)
    known.compiled = not reason
    if not reason:
        return compiled
    yield Note(f"train {label}", 0.0, f"not compiled: {reason}")
    info = {f"compile:{label}": reason}
    yield Artefact(f"remarks compile {label}", "remarks", {}, info)
    return eager


def compile_step(eager: OuterStep, tasks: TaskBatch) -> TakeStep:
    """Return a meta-step whose gradient, and outer rule if possible, is compiled.

    Args:
        eager: The meta-step.
        tasks: The tasks of one.
    """
    if covers_whole_step(eager.entry.learner, tasks):
        return CompiledStep(eager, inductor)
    return replace(eager, compile_gradient=CompiledGradients(inductor))


class _ComingStep:
    """The meta-step that is taken next: it can be tried without training."""

    def __init__(self, eager: OuterStep, trees: Trees, step: int) -> None:
        self.eager, self.trees, self.step = eager, trees, step
        self.tasks = TrainingTasks(eager.context, eager.entry, eager.plan)(step)

    def take(self, by: TakeStep) -> StepResult:
        """Return its result."""
        return by(self.trees, self.tasks, self.step)

    def gap(self, compiled: StepResult) -> Tensor:
        """Return how far a compiled gradient is from the eager one, (replicate,)."""
        # What is compiled is torch's code, so other code would show its own rounding.
        with torch_only():
            slow = self.take(self.eager)
        return relative_gaps(compiled.grads or {}, slow.grads or {})

    def rule_gap(self, compiled: StepResult) -> Tensor:
        """Return how far its update is from that of the eager outer rule."""
        outer = Outer(compiled.trees["memory"], {}, compiled.grads)
        done = self.eager.share_done(self.step)
        slow = apply_outer(self.eager.context.outer, self.trees, outer, done).trees
        pairs = [(compiled.trees[part], slow[part]) for part in ("weights", "outer")]
        return torch.stack([relative_gaps(*pair) for pair in pairs if pair[0]]).amax(0)


def why_not_compiled(eager: OuterStep, tasks: TaskBatch) -> str:
    """Return why a learner's meta-steps cannot be compiled; empty if they can."""
    learner = eager.entry.learner
    if not learner.compiles:
        return "its meta-step cannot be compiled, so it was trained eagerly"
    if reason := _why_not_these_tasks(eager, tasks):
        return f"{reason}, so it was trained eagerly"
    if not compiler():
        return "no C++ compiler was found (CXX, c++, g++, clang++), so it ran eagerly"
    return ""


def _why_not_these_tasks(eager: OuterStep, tasks: TaskBatch) -> str:
    learner, estimator = eager.entry.learner, eager.context.estimator
    if isinstance(tasks, OptimizationBatch):
        if not estimator.compiles:
            return f"the estimator {estimator.name} draws random numbers"
        if eager.plan.segments > 1:
            return "its unroll is shorter than the horizon"
        return ""
    if not isinstance(tasks, EpisodeBatch):
        return "only few-shot training and learned optimizers are compiled"
    if tasks.online and not getattr(learner, "reads_sequences", False):
        return "each meta-step ends its online episodes at another length"
    if tasks.layout.buffers:
        return "its net keeps running statistics"
    return ""


def _compile_and_check(
    coming: _ComingStep, compiled: TakeStep, first: bool
) -> Generator[Event, None, str]:
    """Compile and, the first time, compare with the eager result.

    Returns:
        What is wrong with it; empty if nothing is.
    """
    label, clock = coming.eager.entry.label, time.perf_counter()
    text = "compiling the meta-step once; this can take minutes"
    note = Note(f"train {label}", 0.0, text)
    try:
        found = yield from run_in_thread(partial(coming.take, compiled), note)
    except Exception as error:  # a compiler fails in many ways; none ends a run
        line = str(error).strip().partition("\n")[0][:160]
        return f"compiling failed ({type(error).__name__}: {line}), so it ran eagerly"
    yield Timing(label, "compile", time.perf_counter() - clock)
    if not first:
        return ""
    gap = coming.gap(found)
    array = gap.cpu().numpy()
    yield Block(label, "train", "compile_gap", ("replicate",), array)
    return _describe_gap(
        "gradient", "eager one", float(gap.max()), TOLERANCE
    ) or _describe_gap(
        "update",
        "eager outer rule's",
        float(coming.rule_gap(found).max()),
        RULE_TOLERANCE,
    )


def _describe_gap(what: str, other: str, worst: float, allowed: float) -> str:
    if worst <= allowed:
        return ""
    return (
        f"its first compiled {what} differed from the {other} by {worst:.2g} of "
        f"its norm, more than the {allowed:g} allowed, so it was trained eagerly"
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
