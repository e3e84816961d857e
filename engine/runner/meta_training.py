"""Meta-training: outer steps, validation, and the best checkpoint kept."""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from torch import Tensor

from engine.contract.blocks import Block, Event, Note
from engine.outers._clipping import replicate_norm
from engine.protocol import (
    Inspected,
    Learner,
    Lesson,
    Meta,
    Outer,
    Plan,
    Quicken,
    Stretch,
    TaskBatch,
    Weights,
)
from engine.protocol.chunks import chunks, join, rows_of
from engine.runner.compilation import paced
from engine.runner.context import Bench, Entrant
from engine.runner.films.embeddings import looks, snapshot
from engine.runner.state import Carry


def validation_tasks(bench: Bench) -> TaskBatch:
    """Draw the tasks that every learner is validated on."""
    count = bench.spec.budget.validation_tasks
    return bench.draw(bench.setting, "validation", ("validate", 0), count)


def view(bench: Bench, label: str, found: Stretch) -> Iterator[Block]:
    """Yield each trace's mean over a replicate's tasks: the picture while it runs."""
    for name in bench.kind.metrics.traces:
        if name not in found.traces:
            continue
        rows = found.traces[name].unflatten(0, (bench.spec.replicates, -1))
        rows = rows.flatten(3).mean(-1) if rows.dim() > 3 else rows
        mean = rows.log().nanmean(1).exp() if name == "loss" else rows.nanmean(1)
        steps = tuple(float(i) for i in found.at or range(mean.shape[1]))
        yield Block(
            *(label, "validate", name, ("replicate", "step")),
            mean.cpu().numpy(),
            coords={"step": steps},
        )


def following(
    learner: Learner, weights: Weights, tasks: TaskBatch, stage: str, done: float = 0.0
) -> Generator[Note, None, Stretch]:
    """Run a learner on tasks, a chunk at a time; return its whole traces.

    Yields:
        Signs of life, where there is more than one chunk.
    """
    parts: list[Stretch] = []
    for members, replicates in chunks(tasks):
        if parts:
            yield Note(stage, done)
        meta = Meta(rows_of(weights, replicates), {})
        parts.append(join(list(learner.adapt(meta, tasks.take(members)))))
    traces = {
        name: torch.cat([part.traces[name] for part in parts])
        for name in parts[0].traces
    }
    return parts[0]._replace(traces=traces)


def follow_all(learner: Learner, weights: Weights, tasks: TaskBatch) -> Stretch:
    """Run a learner on tasks without a word; return its whole traces."""
    notes = following(learner, weights, tasks, "")
    while True:
        try:
            next(notes)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]


@dataclass
class Course:
    """One meta-training under way; everything in it survives a kill."""

    entrant: Entrant
    plan: Plan
    step: int
    trees: dict[str, Weights]
    rows: list[Weights] = field(default_factory=list)

    @classmethod
    def begun(
        cls, bench: Bench, entrant: Entrant, plan: Plan, tasks: TaskBatch
    ) -> "Course":
        """Start from the learner's own start."""
        meta = entrant.learner.init(bench.streams("init"), tasks)
        first = next(iter(meta.weights.values()))
        worst = first.new_full((first.shape[0],), torch.inf)
        judge = {"best": worst, "stale": torch.zeros_like(worst)}
        judge["at"] = torch.zeros_like(worst)
        trees = {
            "weights": meta.weights,
            "memory": meta.memory,
            "outer": bench.outer.start(meta.weights),
            "kept": meta.weights,
            "judge": judge,
        }
        return cls(entrant, plan, 0, trees)

    @property
    def label(self) -> str:
        return self.entrant.label

    def judged(self, score: Tensor, patience: int) -> bool:
        """Keep each replicate's best; say whether all have stopped getting better.

        A score that is no number never wins, and a replicate that has stopped
        keeps what it had. A learner that keeps its last weights has no best.
        """
        judge = self.trees["judge"]
        running = judge["stale"] <= patience if patience else torch.ones_like(score) > 0
        better = (score < judge["best"]) & running
        if self.entrant.learner.keeps_last:
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

    def moved(self, bench: Bench, outer: Outer) -> None:
        """Take one outer step."""
        info = dict(outer.info)
        if outer.grads is not None:
            info["outer_grad_norm"] = replicate_norm(outer.grads)
            weights, state = bench.outer.step(
                self.trees["weights"],
                outer.grads,
                self.trees["outer"],
                self.step / max(1, self.plan.steps),
            )
            self.trees |= {"weights": weights, "outer": state}
        elif outer.weights is not None:
            self.trees["weights"] = outer.weights
        self.trees["weights"] = self.trees["weights"] | (outer.settled or {})
        self.trees["memory"] = outer.memory
        self.rows.append(info)
        self.step += 1

    def flushed(self) -> Iterator[Block]:
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


def meta_train(bench: Bench, entrant: Entrant, carry: Carry) -> Iterator[Event]:
    """Train one learner's meta-weights; leave the best in `carry.metas`."""
    plan = entrant.learner.plan(bench.spec.budget, bench.estimator)
    exam = validation_tasks(bench)
    course = _course(bench, entrant, plan, carry)
    every = bench.spec.budget.validate_every
    teach = partial(_first, bench, course)
    quicken = yield from paced(bench, entrant, exam, teach, carry)
    stopped = False
    tasks: TaskBatch | None = None
    while course.step < plan.steps and not stopped:
        if course.step % every == 0 and not _just_resumed(course, carry):
            stopped = yield from _validate(bench, course, exam)
            if stopped:
                break
            yield _saved(course, carry)
        for step in range(course.step, min(plan.steps, course.step + every)):
            if tasks is None or step % plan.segments == 0:
                tasks = _lesson_tasks(bench, plan, step)
            course.moved(bench, _taught(bench, course, tasks, step, quicken))
            yield Note(f"train {course.label}", course.step / max(1, plan.steps))
        yield from course.flushed()
    if not stopped:
        yield from _validate(bench, course, exam)
    yield from _ended(bench, course, carry)


def _first(bench: Bench, course: Course, quicken: Quicken) -> Outer:
    """Say what the meta-step at hand comes to, and take none."""
    tasks = _lesson_tasks(bench, course.plan, course.step)
    return _taught(bench, course, tasks, course.step, quicken)


def _taught(
    bench: Bench, course: Course, tasks: TaskBatch, step: int, quicken: Quicken
) -> Outer:
    segments = course.plan.segments
    done = step / max(1, course.plan.steps)
    streams = bench.streams("train", step)
    lesson = Lesson(step, step % segments, segments, streams, done, quicken)
    meta = Meta(course.trees["weights"], course.trees["memory"])
    return course.entrant.learner.outer(meta, tasks, lesson, bench.estimator)


def _lesson_tasks(bench: Bench, plan: Plan, step: int) -> TaskBatch:
    """Draw a lesson's tasks; the segments of one horizon see the same ones."""
    path = ("train", "tasks", step // plan.segments)
    return bench.draw(bench.setting, "train", path, plan.tasks_per_step)


def _validate(
    bench: Bench, course: Course, exam: TaskBatch
) -> Generator[Event, None, bool]:
    learner, weights = course.entrant.learner, course.trees["weights"]
    stage, done = f"train {course.label}", course.step / max(1, course.plan.steps)
    found = yield from following(learner, weights, exam, stage, done)
    score = bench.judge.score(found).view(bench.spec.replicates, -1).mean(1)
    seen = {bench.kind.metrics.validation: Inspected((), score)}
    for name, inside in (seen | learner.inspect(Meta(weights, {}), exam)).items():
        array = inside.values[:, None].cpu().numpy()
        axes = ("replicate", "step", *inside.axes)
        at = {"step": (float(course.step),)}
        yield Block(course.label, "validate", name, axes, array, coords=at)
    yield from view(bench, course.label, found)
    budget = bench.spec.budget
    stopped = course.judged(score, budget.patience)
    if stopped or course.step in looks(course.plan.steps, budget.validate_every):
        yield from snapshot(course.entrant, weights, exam, course.step)
    return stopped


def _course(bench: Bench, entrant: Entrant, plan: Plan, carry: Carry) -> Course:
    if (step := carry.learner(entrant.label).step) is not None:
        trees = {
            name: carry.training.get(name, {})
            for name in ("weights", "memory", "outer", "kept", "judge")
        }
        return Course(entrant, plan, step, trees)
    return Course.begun(bench, entrant, plan, _lesson_tasks(bench, plan, 0))


def _just_resumed(course: Course, carry: Carry) -> bool:
    """Return whether this validation was the last thing before the kill."""
    return carry.learner(course.label).step == course.step


def _saved(course: Course, carry: Carry) -> Event:
    carry.training = dict(course.trees)
    carry.learner(course.label).step = course.step
    return carry.checkpoint()


def _looked(bench: Bench, course: Course) -> Iterator[Block]:
    """Count what was evaluated to choose a checkpoint, where that is the price."""
    learner, budget = course.entrant.learner, bench.spec.budget
    if learner.keeps_last or not course.step or not bench.kind.counts_validation:
        return
    looks = 1 + math.ceil(course.step / budget.validate_every)
    spent = looks * budget.validation_tasks * learner.effort(budget.horizon)
    yield Block(course.label, "tune", "gradient_evaluations", (), np.array(spent))


def _ended(bench: Bench, course: Course, carry: Carry) -> Iterator[Event]:
    drawn = course.step * course.plan.tasks_per_step
    lesson = bench.draw(bench.setting, "train", ("train", "tasks", 0), 1)
    spent = np.array(float(drawn * course.plan.gradients))
    yield Block(course.label, "train", "gradient_evaluations", (), spent)
    yield from _looked(bench, course)
    if shown := bench.judge.examples(lesson):
        seen = np.array(float(drawn * shown))
        yield Block(course.label, "train", "examples_seen", (), seen)
    carry.metas[course.label] = course.trees["kept"]
    known = carry.learner(course.label)
    known.at, known.step = float(course.trees["judge"]["at"].mean()), None
    carry.training = {}
