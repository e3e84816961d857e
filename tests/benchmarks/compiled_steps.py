"""How fast compiled meta-steps are, beside JAX, and when compiling pays back.

`python -m tests.benchmarks.compiled_steps [INNER_STEPS…]` prints a table; nothing is
asserted. Each side's time is its fastest call, as another process slows the others.
"""

import sys
import time
from collections.abc import Callable

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
from tests.benchmarks import jax_peers
from tests.benchmarks.roof import count_flops, peak_rate

Side = Callable[[], object]
SECONDS = 3.0  # how long a side is timed, all rounds together
ROUND = 0.1
TASKS = 25


def sinusoid_step(inner_steps: int) -> OuterStep:
    """Return the meta-step of a run: second-order MAML, 1-40-40-1, Adam."""
    spec = RunSpec.model_validate(
        {
            "family": {"name": "sinusoids", "knobs": {"shots": 10, "queries": 10}},
            "net": {"name": "mlp", "knobs": {"depth": 2, "width": 40}},
            "learners": [
                {
                    "name": "maml",
                    "knobs": {"inner_lr": 0.01, "inner_steps": inner_steps},
                }
            ],
            "outer": {"name": "adam", "knobs": {"lr": 0.001}},
            "budget": {"task_evaluations": 10**6, "tasks_per_step": TASKS},
            "replicates": 1,
        }
    )
    context = RunContext(complete_spec(spec, find_card, "cpu"))
    (entry,) = context.entries
    return OuterStep(
        context, entry, entry.learner.plan(context.spec.budget, context.estimator)
    )


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


def fastest(sides: dict[str, tuple[Side, int]]) -> dict[str, float]:
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
    """Return the CPU seconds of a side's first call."""
    clock = time.process_time()
    side()
    return time.process_time() - clock


def sides_of(inner_steps: int) -> tuple[dict[str, tuple[Side, int]], float]:
    """Return all sides, and the seconds that compiling the whole meta-step took."""
    eager = sinusoid_step(inner_steps)
    whole = train(CompiledStep(eager, inductor), eager)
    gradient = eager.__class__(
        eager.context, eager.entry, eager.plan, CompiledGradients(inductor)
    )
    taken = compile_and_time(whole)
    tasks = TrainingTasks(eager.context, eager.entry, eager.plan)(0)
    assert isinstance(tasks, EpisodeBatch)
    return {
        "whole meta-step compiled": (whole, 1),
        "gradient compiled": (train(gradient, eager), 1),
        "eager": (train(eager, eager), 1),
        **jax_peers.sinusoid_sides(tasks, inner_steps),
    }, taken


def main() -> None:
    """Print the table."""
    configure_allocator()
    torch.set_num_threads(1)
    peak = peak_rate()
    columns = ("side", "ms a meta-step", "compiled is", "of the roof", "pays back")
    table = Table("inner steps", *columns)
    for inner_steps in map(int, sys.argv[1:] or ("1", "5")):
        sides, taken = sides_of(inner_steps)
        work = count_flops(sides["eager"][0])
        found = fastest(sides)
        ours = found["whole meta-step compiled"]
        for name, each in found.items():
            ratio, share = f"{each / ours:.2f} ×", f"{work / each / peak:.0%}"
            after = f"{taken / (each - ours):.0f} meta-steps" if name == "eager" else ""
            row = (name, f"{each * 1e3:.3f}", ratio, share, after)
            table.add_row(str(inner_steps), *row)
    console = Console()
    console.print(table)
    console.print(f"roof: {peak / 1e9:.0f} GFLOP/s, one thread")


if __name__ == "__main__":
    main()
