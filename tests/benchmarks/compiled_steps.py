"""How fast compiled meta-steps are, beside JAX, and when compiling pays back.

`python -m tests.benchmarks.compiled_steps` prints a table; nothing is asserted. Cases
can be named: maml1, maml5, lr_scale. Each side's time is its fastest call, which other
processes disturb least.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.table import Table

from engine.algorithms.compiled_graphs import inductor
from engine.algorithms.few_shot.compiled_outer_gradients import CompiledGradients
from engine.catalogue import find_card
from engine.contract.run_spec import RunSpec, complete_spec
from engine.executors.allocator import configure_allocator
from engine.protocol import EpisodeBatch
from engine.runner.compiled_steps import CompiledStep
from engine.runner.context import RunContext
from engine.runner.outer_steps import OuterStep, TakeStep, Trees
from engine.runner.training_tasks import TrainingTasks
from tests.benchmarks import jax_controller, jax_peers
from tests.benchmarks.roof import count_flops, peak_rate

Side = Callable[[], object]
SECONDS = 3.0  # how long a side is timed, all rounds together
ROUND = 0.1
COMPILED = "whole meta-step compiled"
Sides = dict[str, tuple[Side, int]]  # each side, and its meta-steps a call


class Case(NamedTuple):
    """A meta-step to be timed, and its peers on the same tasks."""

    title: str
    fields: dict[str, Any]
    peers: Callable[[Any], Sides]


def sinusoid_case(inner_steps: int) -> Case:
    """Return second-order MAML on 25 sinusoids with ten points, 1-40-40-1, Adam."""
    knobs = {"inner_lr": 0.01, "inner_steps": inner_steps}
    fields = {
        "family": {"name": "sinusoids", "knobs": {"shots": 10, "queries": 10}},
        "net": {"name": "mlp", "knobs": {"depth": 2, "width": 40}},
        "learners": [{"name": "maml", "knobs": knobs}],
        "budget": {"task_evaluations": 10**6, "tasks_per_step": 25},
    }
    peers = partial(jax_peers.sinusoid_sides, steps=inner_steps)
    return Case(f"sinusoid MAML, {inner_steps} inner steps", fields, peers)


def controller_case(unroll: int) -> Case:
    """Return LR scale on 16 trainings of 64 points, 2-32-2, inner gradients fixed."""
    budget = {"task_evaluations": 10**6, "tasks_per_step": 16, "horizon": unroll}
    fields = {
        "family": {"name": "mixtures", "knobs": {"examples": 64}},
        "net": {"name": "mlp", "knobs": {"depth": 1, "width": 32}},
        "learners": [{"name": "lr_scale", "knobs": {"lr": jax_controller.RATE}}],
        "estimator": {"name": "unroll", "knobs": {"length": unroll}},
        "budget": budget,
    }
    return Case(f"LR scale, {unroll} steps", fields, jax_controller.controller_sides)


CASES = {
    "maml1": lambda: sinusoid_case(1),
    "maml5": lambda: sinusoid_case(5),
    "lr_scale": lambda: controller_case(20),
}


def outer_step(case: Case) -> OuterStep:
    """Return the eager meta-step of a run of one replicate."""
    outer = {"name": "adam", "knobs": {"lr": 0.001}}
    spec = RunSpec.model_validate(case.fields | {"outer": outer, "replicates": 1})
    context = RunContext(complete_spec(spec, find_card, "cpu"))
    (entry,) = context.entries
    plan = entry.learner.plan(context.spec.budget, context.estimator)
    return OuterStep(context, entry, plan)


def train(take: TakeStep, eager: OuterStep) -> Side:
    """Return a function that takes the next meta-step, always on the same tasks."""
    tasks = TrainingTasks(eager.context, eager.entry, eager.plan)(0)
    meta = eager.entry.learner.init(eager.context.streams("init"), tasks)
    trees: Trees = {"weights": meta.weights, "memory": meta.memory}
    held = [trees | {"outer": eager.context.outer.start(meta.weights)}]

    def step() -> object:
        held[0] = take(held[0], tasks, 0).trees
        return held[0]

    return step


def fastest(sides: Sides) -> dict[str, float]:
    """Time each side, interleaved; return seconds a meta-step of its fastest call."""
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(int(SECONDS / ROUND)):
        for name, (side, steps) in sides.items():
            end = time.perf_counter() + ROUND
            while (clock := time.perf_counter()) < end:
                side()
                best[name] = min(best[name], (time.perf_counter() - clock) / steps)
    return best


def compile_and_time(side: Side) -> float:
    """Return the CPU seconds of a side's first call, the compiler's included."""
    clock = sum(os.times()[:4])
    side()
    return sum(os.times()[:4]) - clock


def sides_of(case: Case) -> tuple[Sides, float]:
    """Return all sides, and the seconds that compiling the whole meta-step took."""
    eager = outer_step(case)
    whole = train(CompiledStep(eager, inductor), eager)
    taken = compile_and_time(whole)
    tasks = TrainingTasks(eager.context, eager.entry, eager.plan)(0)
    ours: Sides = {COMPILED: (whole, 1), "eager": (train(eager, eager), 1)}
    if isinstance(tasks, EpisodeBatch):
        gradient = replace(eager, compile_gradient=CompiledGradients(inductor))
        ours["gradient compiled"] = train(gradient, eager), 1
    return ours | case.peers(tasks), taken


def add_rows(table: Table, case: Case, peak: float) -> None:
    """Time a case and add its sides to the table."""
    sides, taken = sides_of(case)
    work = count_flops(sides["eager"][0])
    found = fastest(sides)
    ours = found[COMPILED]
    for name, each in found.items():
        # A peer does without the examples that pad our products.
        share = "" if "JAX" in name else f"{work / each / peak:.0%}"
        after = f"{taken / (each - ours):.0f} meta-steps" if name == "eager" else ""
        row = (name, f"{each * 1e3:.3f}", f"{each / ours:.2f} ×", share, after)
        table.add_row(case.title, *row)


def main() -> None:
    """Print the table."""
    configure_allocator()
    torch.set_num_threads(1)
    peak = peak_rate()
    columns = ("side", "ms a meta-step", "compiled is", "of the roof", "pays back")
    table = Table("meta-step", *columns)
    for word in sys.argv[1:] or CASES:
        add_rows(table, CASES[word](), peak)
    console = Console()
    console.print(table)
    console.print(f"roof: {peak / 1e9:.0f} GFLOP/s, one thread")


if __name__ == "__main__":
    main()
