"""Meta-training: outer steps, validation, and selection of the best weights."""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from engine.contract.events import Block, Event, Note
from engine.protocol import (
    Inspection,
    Meta,
    Plan,
    TaskBatch,
    Weights,
)
from engine.runner.compilation import choose_compilation
from engine.runner.context import LearnerEntry, RunContext
from engine.runner.films.embeddings import snapshot_steps, take_snapshot
from engine.runner.outer_steps import OuterStep, StepResult, Trees
from engine.runner.state import RunState
from engine.runner.training_tasks import TrainingTasks
from engine.runner.validation import (
    adapt_in_chunks,
    draw_validation_tasks,
    inspection_blocks,
    validation_curves,
)


@dataclass
class MetaTraining:
    """The state of one meta-training; checkpoints hold all but `rows`.

    Args:
        entry: The learner.
        plan: How many steps it takes, and tasks per step.
        step: Meta-steps taken.
        trees: Tensors by name: `weights`, the learner's `memory`, the `outer` rule's
            state, the weights that are `kept`, and what `judge` compares per replicate:
            `best` score, its step `at`, and for how many validations it is `stale`.
        rows: Training metrics of the steps since the last flush.
    """

    entry: LearnerEntry
    plan: Plan
    step: int
    trees: Trees
    rows: list[Weights] = field(default_factory=list)

    @classmethod
    def start(
        cls, context: RunContext, entry: LearnerEntry, plan: Plan, tasks: TaskBatch
    ) -> "MetaTraining":
        """Start from the learner's initial weights."""
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
        """Keep each replicate's best weights.

        A learner with `keeps_last` keeps the newest ones instead.

        Args:
            score: Validation score, less is better; shape (replicate,).
            patience: Validations without improvement until a replicate stops; 0 never
                stops.

        Returns:
            Whether all replicates have stopped.
        """
        judge = self.trees["judge"]
        running = judge["stale"] <= patience if patience else torch.ones_like(score) > 0
        # NaN < x is false, so a NaN score never wins; a stopped replicate stays as is.
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

    def advance(self, found: StepResult) -> None:
        """Go on to what a meta-step gives."""
        self.trees = found.trees
        self.rows.append(found.info)
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
    """Meta-train one learner and leave its best weights in `state.metas`.

    Args:
        context: The run.
        entry: The learner.
        state: The run's state; it holds the training if it is resumed.

    Yields:
        Notes, training and validation curves, and a checkpoint per validation.
    """
    plan = entry.learner.plan(context.spec.budget, context.estimator)
    validation_tasks = draw_validation_tasks(context)
    training = _start_or_resume(context, entry, plan, state)
    every = context.spec.budget.validate_every
    take_step = yield from choose_compilation(
        OuterStep(context, entry, plan), validation_tasks, training.trees, state
    )
    ahead = bool(state.learner(entry.label).compiled)
    draw = TrainingTasks(context, entry, plan, ahead=ahead)
    stopped = False
    while training.step < plan.steps and not stopped:
        if training.step % every == 0 and not _has_just_resumed(training, state):
            stopped = yield from _validate(context, training, validation_tasks)
            if stopped:
                break
            yield _save_checkpoint(training, state)
        for step in range(training.step, min(plan.steps, training.step + every)):
            training.advance(take_step(training.trees, draw(step), step))
            yield Note(f"train {training.label}", training.step / max(1, plan.steps))
        yield from training.flush_curve()
    if not stopped:
        yield from _validate(context, training, validation_tasks)
    yield from _finish_training(context, training, state)


def _validate(
    context: RunContext, training: MetaTraining, validation_tasks: TaskBatch
) -> Generator[Event, None, bool]:
    learner, weights = training.entry.learner, training.trees["weights"]
    stage, done = f"train {training.label}", training.step / max(1, training.plan.steps)
    found = yield from adapt_in_chunks(learner, weights, validation_tasks, stage, done)
    each = context.judge.score(found, validation_tasks)
    score = each.view(context.spec.replicates, -1).mean(1)
    seen = {context.kind.metrics.validation: Inspection((), score)}
    seen |= learner.inspect(Meta(weights, {}), validation_tasks)
    budget = context.spec.budget
    stopped = training.keep_best(score, budget.patience)
    pictured = snapshot_steps(training.plan.steps, budget.validate_every)
    shown = stopped or training.step in pictured
    yield from inspection_blocks(training.label, training.step, seen, maps=shown)
    yield from validation_curves(context, training.label, found)
    if shown:
        yield from take_snapshot(
            training.entry, weights, validation_tasks, training.step
        )
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
    tasks = TrainingTasks(context, entry, plan).draw_lesson(0)
    return MetaTraining.start(context, entry, plan, tasks)


def _has_just_resumed(training: MetaTraining, state: RunState) -> bool:
    """Return whether the checkpoint was saved at this step, after its validation."""
    return state.learner(training.label).step == training.step


def _save_checkpoint(training: MetaTraining, state: RunState) -> Event:
    state.training = dict(training.trees)
    state.learner(training.label).step = training.step
    return state.checkpoint()


def _validation_price(context: RunContext, training: MetaTraining) -> Iterator[Block]:
    """Yield the cost of validation, for kinds whose budget counts it."""
    learner, budget = training.entry.learner, context.spec.budget
    if learner.keeps_last or not training.step or not context.kind.counts_validation:
        return
    times = 1 + math.ceil(training.step / budget.validate_every)
    spent = times * budget.validation_tasks * learner.gradients_per_test(budget.horizon)
    yield Block(training.label, "tune", "gradient_evaluations", (), np.array(spent))


def _finish_training(
    context: RunContext, training: MetaTraining, state: RunState
) -> Iterator[Event]:
    drawn = training.step * training.plan.tasks_per_step
    one_each = context.draw(context.setting, "train", ("train", "tasks", 0), 1)
    spent = np.array(float(drawn * training.plan.gradients))
    yield Block(training.label, "train", "gradient_evaluations", (), spent)
    yield from _validation_price(context, training)
    if length := context.judge.support_length(one_each):
        yield Block(training.label, "train", "context_length", (), np.array(length))
    if shown := context.judge.examples(one_each):
        seen = np.array(float(drawn * shown))
        yield Block(training.label, "train", "examples_seen", (), seen)
    state.metas[training.label] = training.trees["kept"]
    known = state.learner(training.label)
    known.at, known.step = float(training.trees["judge"]["at"].mean()), None
    state.training = {}
