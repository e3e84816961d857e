"""SNAIL and in-context regression against the figures asked of them.

Twenty-five tasks a meta-step, Adam, inputs as they are (no embedding), one replicate.

    python -m tests.benchmarks.few_shot_in_context_checks NAME [--steps N] [--seed 0]

NAME is one of snail (sinusoids, K = 10, a constant rate), linear and softmax (linear
functions without noise, d = 5, K = 10, a cosine rate). A layer of linear attention is
held against the best step of gradient descent from 0 on the same 6,000 tasks, which no
such layer can beat in expectation (`tests.learners.memory.one_step_descent`); softmax
attention against it and against the exact posterior, whose error is 0.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch import Tensor

from engine.catalogue import find_card
from engine.contract.events import Artefact, Block
from engine.contract.run_spec import RunSpec, complete_spec
from engine.learners.memory.transformer import Transformer
from engine.nets.mlp import Mlp
from engine.protocol import Weights
from engine.protocol.member_chunks import broadcast_to_members
from engine.runner.loop import run
from engine.tasks.few_shot.linear_regression import LinearRegression
from tests.benchmarks.few_shot_checks import Line, at_most, within
from tests.benchmarks.few_shot_speed import draw
from tests.in_memory_run_cache import InMemoryRunCache
from tests.learners.memory.one_step_descent import best_step

SIZES = {"dimensions": 5, "count": 10}
TASKS = 6000  # that an attention layer and the best step are compared on
ONE_LAYER: dict[str, Any] = {
    "attention": "linear",
    "layers": 1,
    "heads": 1,
    "hidden": 0,
    "width": 16,
}


def played(
    family: str, learner: dict[str, Any], steps: int, seed: int, **outer: Any
) -> tuple[float, float, Weights]:
    """Train a learner; return its test error, the standard error and its weights."""
    budget = {
        "task_evaluations": 25 * steps,
        "tasks_per_step": 25,
        "validation_tasks": 400,
        "validate_every": max(1, steps // 5),
        "test_tasks": 1000,
        "horizon": 1,
    }
    body = {"family": {"name": family}, "learners": [learner], "budget": budget}
    body |= {"net": {"name": "mlp", "knobs": {"depth": 0}}, "replicates": 1}
    body |= {"outer": {"name": "adam", "knobs": outer}, "seed": seed}
    spec = complete_spec(RunSpec.model_validate(body), find_card, "cpu")
    events = list(run(spec, InMemoryRunCache()))
    (errors,) = (
        e.array
        for e in events
        if isinstance(e, Block) and (e.phase, e.metric) == ("test", "error")
    )
    *_, frozen = (e for e in events if isinstance(e, Artefact))
    weights = {name: torch.as_tensor(value) for name, value in frozen.arrays.items()}
    return float(errors.mean()), float(errors.std() / errors.size**0.5), weights


def snail(steps: int, seed: int) -> Iterator[Line]:
    """SNAIL on waves."""
    error, spread, _ = played("sinusoids", {"name": "snail"}, steps, seed, lr=0.002)
    yield at_most(f"SNAIL, mean squared error (± {1.96 * spread:.3f})", error, 0.25)


def errors_on_same_tasks(learner: Transformer, weights: Weights) -> tuple[Tensor, ...]:
    """Return the errors of a transformer and of the best step on the same tasks."""
    tasks = draw(LinearRegression(queries=40), Mlp(depth=0), TASKS)
    x, y = tasks.support.x, tasks.support.y.unsqueeze(2)
    step = best_step(**SIZES) * (x @ y / SIZES["count"]).mT @ tasks.query.x
    (found,) = learner.predict(broadcast_to_members(weights, TASKS), tasks)
    outputs = (found.query_outputs, step)
    return tuple((out[:, 0] - tasks.query.y).square().mean(1) for out in outputs)


def attention(
    knobs: dict[str, Any], steps: int, seed: int
) -> tuple[float, float, float]:
    """Train a transformer; return its error over the best step's, ±, and its error."""
    learner = {"name": "transformer", "knobs": knobs}
    outer = {"lr": 0.003, "schedule": "cosine"}
    *_, weights = played("linear_regression", learner, steps, seed, **outer)
    with torch.no_grad():
        own, best = errors_on_same_tasks(Transformer(**knobs), weights)
    half = 1.96 * float((own - best).std()) / np.sqrt(TASKS)
    return float(own.mean() / best.mean()), half / float(best.mean()), float(own.mean())


def linear(steps: int, seed: int) -> Iterator[Line]:
    """One layer of linear attention."""
    ratio, half, _ = attention(ONE_LAYER, steps, seed)
    yield within(f"linear attention over its optimum (± {half:.4f})", ratio, 0.98, 1.02)


def softmax(steps: int, seed: int) -> Iterator[Line]:
    """Two layers of softmax attention."""
    ratio, half, error = attention({}, steps, seed)
    yield at_most(f"softmax over linear attention's optimum (± {half:.4f})", ratio, 1.0)
    yield Line("softmax, above the posterior", error, "> 0", error > 0.0)


CHECKS: dict[str, tuple[Callable[[int, int], Iterator[Line]], int]] = {
    "snail": (snail, 8_000),
    "linear": (linear, 4_000),
    "softmax": (softmax, 4_000),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=CHECKS)
    parser.add_argument("--steps", type=int, help="meta-steps; as asked by default")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    check, usual = CHECKS[given.name]
    for line in check(given.steps or usual, given.seed):
        said = "kept" if line.kept else "MISSED"
        Console().print(f"{line.what}: {line.found:.4f} {line.asked} {said}")


if __name__ == "__main__":
    main()
