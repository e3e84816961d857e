"""Meta-training: outer steps, validation, and the best checkpoint kept."""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor

from engine.contract.events import Block, Event, Note
from engine.outers._clipping import replicate_norm
from engine.protocol import (
    Compile,
    Inspection,
    Learner,
    Meta,
    Outer,
    OuterStepContext,
    Plan,
    TaskBatch,
    TraceSegment,
    Weights,
)
from engine.protocol.chunks import chunks, join_segments, select_replicates
from engine.runner.compilation import choose_compilation
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.films.embeddings import snapshot_steps, take_snapshot
from engine.runner.state import RunState


def draw_validation_tasks(context: RunContext) -> TaskBatch:
    """Draw the tasks that every learner is validated on."""
    count = context.spec.budget.validation_tasks
    return context.draw(context.setting, "validation", ("validate", 0), count)


def validation_curves(
    context: RunContext, label: str, trace: TraceSegment
) -> Iterator[Block]:
    """Yield each trace's mean over a replicate's tasks: the picture while it runs."""
    for name in context.kind.metrics.traces:
        if name not in trace.traces:
            continue
        rows = trace.traces[name].unflatten(0, (context.spec.replicates, -1))
        rows = rows.flatten(3).mean(-1) if rows.dim() > 3 else rows
        mean = rows.log().nanmean(1).exp() if name == "loss" else rows.nanmean(1)
        steps = tuple(float(i) for i in trace.steps or range(mean.shape[1]))
        yield Block(
            label,
            "validate",
            name,
            ("replicate", "step"),
            mean.cpu().numpy(),
            coords={"step": steps},
        )


def adapt_in_chunks(
    learner: Learner, weights: Weights, tasks: TaskBatch, stage: str, done: float = 0.0
) -> Generator[Note, None, TraceSegment]:
    """Run a learner on tasks, a chunk at a time; return its whole traces.

    Yields:
        Signs of life, where there is more than one chunk.
    """
    parts: list[TraceSegment] = []
    for members, replicates in chunks(tasks):
        if parts:
            yield Note(stage, done)
        meta = Meta(select_replicates(weights, replicates), {})
        parts.append(join_segments(list(learner.adapt(meta, tasks.take(members)))))
    traces = {
        name: torch.cat([part.traces[name] for part in parts])
        for name in parts[0].traces
    }
    return parts[0]._replace(traces=traces)


def adapt_quietly(learner: Learner, weights: Weights, tasks: TaskBatch) -> TraceSegment:
    """Run a learner on tasks without a word; return its whole traces."""
    notes = adapt_in_chunks(learner, weights, tasks, "")
    while True:
        try:
            next(notes)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]


@dataclass
class MetaTraining:
    """One meta-training under way; everything in it survives a kill."""

    entry: LearnerEntry
    plan: Plan
    step: int
    trees: dict[str, Weights]
    rows: list[Weights] = field(default_factory=list)

    @classmethod
    def start(
        cls, context: RunContext, entry: LearnerEntry, plan: Plan, tasks: TaskBatch
    ) -> "MetaTraining":
        """Start from the learner's own start."""
        meta = entry.learner.init(context.streams("init"), tasks)
        first = next(iter(meta.weights.values()))
        worst = first.new_full((first.shape[0],), torch.inf)
        judge = {"best": worst, "stale": torch.zeros_like(worst)}
        judge["at"] = torch.zeros_like(worst)
        trees = {
            "weights": meta.weights,
            "memory": meta.memory,
            "outer": context.outer.start(meta.weights),
            "kept": meta.weights,
            "judge": judge,
        }
        return cls(entry, plan, 0, trees)

    @property
    def label(self) -> str:
        return self.entry.label

    def keep_best(self, score: Tensor, patience: int) -> bool:
        """Keep each replicate's best; say whether all have stopped getting better.

        A score that is no number never wins, and a replicate that has stopped
        keeps what it had. A learner that keeps its last weights has no best.
        """
        judge = self.trees["judge"]
        running = judge["stale"] <= patience if patience else torch.ones_like(score) > 0
        better = (score < judge["best"]) & running
        if self.entry.learner.keeps_last:
            better = torch.ones_like(better)
        kept = self.trees["kept"]
        self.trees["kept"] = {
            name: torch.where(better.view(-1, *[1] * (new.dim() - 1)), new, kept[name])
            for name, new in self.trees["weights"].items()
        }
        step = torch.full_like(score, float(self.step))
        self.trees["judge"] = {
            "best": torch.where(better, score, judge["best"]),
            "stale": torch.where(better, torch.zeros_like(score), judge["stale"] + 1),
            "at": torch.where(better, step, judge["at"]),
        }
        return bool(patience) and not bool(running.any())

    def take_outer_step(self, context: RunContext, outer: Outer) -> None:
        """Take one outer step."""
        info = dict(outer.info)
        if outer.grads is not None:
            info["outer_grad_norm"] = replicate_norm(outer.grads)
            weights, state = context.outer.step(
                self.trees["weights"],
                outer.grads,
                self.trees["outer"],
                self.step / max(1, self.plan.steps),
            )
            self.trees |= {"weights": weights, "outer": state}
        elif outer.weights is not None:
            self.trees["weights"] = outer.weights
        self.trees["weights"] = self.trees["weights"] | (outer.statistics or {})
        self.trees["memory"] = outer.memory
        self.rows.append(info)
        self.step += 1

    def flush_curve(self) -> Iterator[Block]:
        """Yield the training curve since the last flush."""
        if not self.rows:
            return
        first = self.step - len(self.rows)
        steps = tuple(float(i) for i in range(first, self.step))
        for name in self.rows[0]:
            array = torch.stack([row[name] for row in self.rows], 1).cpu().numpy()
            axes = ("replicate", "step")
            yield Block(self.label, "train", name, axes, array, coords={"step": steps})
        self.rows = []


def meta_train(
    context: RunContext, entry: LearnerEntry, state: RunState
) -> Iterator[Event]:
    """Train one learner's meta-weights; leave the best in `carry.metas`."""
    plan = entry.learner.plan(context.spec.budget, context.estimator)
    exam = draw_validation_tasks(context)
    training = _start_or_resume(context, entry, plan, state)
    every = context.spec.budget.validate_every
    teach = partial(_preview_step, context, training)
    compile_gradient = yield from choose_compilation(context, entry, exam, teach, state)
    stopped = False
    tasks: TaskBatch | None = None
    while training.step < plan.steps and not stopped:
        if training.step % every == 0 and not _has_just_resumed(training, state):
            stopped = yield from _validate(context, training, exam)
            if stopped:
                break
            yield _save_checkpoint(training, state)
        for step in range(training.step, min(plan.steps, training.step + every)):
            if tasks is None or step % plan.segments == 0:
                tasks = _draw_training_tasks(context, plan, step)
            training.take_outer_step(
                context, _outer_step(context, training, tasks, step, compile_gradient)
            )
            yield Note(f"train {training.label}", training.step / max(1, plan.steps))
        yield from training.flush_curve()
    if not stopped:
        yield from _validate(context, training, exam)
    yield from _finish_training(context, training, state)


def _preview_step(
    context: RunContext, training: MetaTraining, compile_gradient: Compile
) -> Outer:
    """Say what the meta-step at hand comes to, and take none."""
    tasks = _draw_training_tasks(context, training.plan, training.step)
    return _outer_step(context, training, tasks, training.step, compile_gradient)


def _outer_step(
    context: RunContext,
    training: MetaTraining,
    tasks: TaskBatch,
    step: int,
    compile_gradient: Compile,
) -> Outer:
    segments = training.plan.segments
    done = step / max(1, training.plan.steps)
    streams = context.streams("train", step)
    step_context = OuterStepContext(
        step, step % segments, segments, streams, done, compile_gradient
    )
    meta = Meta(training.trees["weights"], training.trees["memory"])
    return training.entry.learner.outer(meta, tasks, step_context, context.estimator)


def _draw_training_tasks(context: RunContext, plan: Plan, step: int) -> TaskBatch:
    """Draw a lesson's tasks; the segments of one horizon see the same ones."""
    path = ("train", "tasks", step // plan.segments)
    return context.draw(context.setting, "train", path, plan.tasks_per_step)


def _validate(
    context: RunContext, training: MetaTraining, exam: TaskBatch
) -> Generator[Event, None, bool]:
    learner, weights = training.entry.learner, training.trees["weights"]
    stage, done = f"train {training.label}", training.step / max(1, training.plan.steps)
    found = yield from adapt_in_chunks(learner, weights, exam, stage, done)
    score = context.judge.score(found).view(context.spec.replicates, -1).mean(1)
    seen = {context.kind.metrics.validation: Inspection((), score)}
    for name, inside in (seen | learner.inspect(Meta(weights, {}), exam)).items():
        array = inside.values[:, None].cpu().numpy()
        axes = ("replicate", "step", *inside.axes)
        at = {"step": (float(training.step),)}
        yield Block(training.label, "validate", name, axes, array, coords=at)
    yield from validation_curves(context, training.label, found)
    budget = context.spec.budget
    stopped = training.keep_best(score, budget.patience)
    if stopped or training.step in snapshot_steps(
        training.plan.steps, budget.validate_every
    ):
        yield from take_snapshot(training.entry, weights, exam, training.step)
    return stopped


def _start_or_resume(
    context: RunContext, entry: LearnerEntry, plan: Plan, state: RunState
) -> MetaTraining:
    if (step := state.learner(entry.label).step) is not None:
        trees = {
            name: state.training.get(name, {})
            for name in ("weights", "memory", "outer", "kept", "judge")
        }
        return MetaTraining(entry, plan, step, trees)
    return MetaTraining.start(
        context, entry, plan, _draw_training_tasks(context, plan, 0)
    )


def _has_just_resumed(training: MetaTraining, state: RunState) -> bool:
    """Return whether this validation was the last thing before the kill."""
    return state.learner(training.label).step == training.step


def _save_checkpoint(training: MetaTraining, state: RunState) -> Event:
    state.training = dict(training.trees)
    state.learner(training.label).step = training.step
    return state.checkpoint()


def _validation_price(context: RunContext, training: MetaTraining) -> Iterator[Block]:
    """Count what was evaluated to choose a checkpoint, where that is the price."""
    learner, budget = training.entry.learner, context.spec.budget
    if learner.keeps_last or not training.step or not context.kind.counts_validation:
        return
    looks = 1 + math.ceil(training.step / budget.validate_every)
    spent = looks * budget.validation_tasks * learner.gradients_per_test(budget.horizon)
    yield Block(training.label, "tune", "gradient_evaluations", (), np.array(spent))


def _finish_training(
    context: RunContext, training: MetaTraining, state: RunState
) -> Iterator[Event]:
    drawn = training.step * training.plan.tasks_per_step
    step_context = context.draw(context.setting, "train", ("train", "tasks", 0), 1)
    spent = np.array(float(drawn * training.plan.gradients))
    yield Block(training.label, "train", "gradient_evaluations", (), spent)
    yield from _validation_price(context, training)
    if shown := context.judge.examples(step_context):
        seen = np.array(float(drawn * shown))
        yield Block(training.label, "train", "examples_seen", (), seen)
    state.metas[training.label] = training.trees["kept"]
    known = state.learner(training.label)
    known.at, known.step = float(training.trees["judge"]["at"].mean()), None
    state.training = {}
