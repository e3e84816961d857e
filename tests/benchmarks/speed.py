"""How fast the engine is, as ratios: both sides interleaved in one process.

`python -m tests.benchmarks.speed` prints a table; nothing here is asserted.
"""

import time
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch import nn

from engine.algorithms.optimization.hand_designed import ScheduledRule
from engine.algorithms.optimization.learned_optimizer import RuleProblem
from engine.algorithms.optimization.training_loop import run_training
from engine.contract.rng import Rng
from engine.estimators.unroll import Unroll
from engine.learners.baseline.sgd import Sgd
from engine.learners.optimizer.lr_scale import LrScale
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Meta, OuterStepContext, Setting, TraceSegment
from engine.tasks.optimization._supervised import SupervisedBatch
from engine.tasks.optimization.mixtures import Mixtures
from tests.benchmarks.few_shot_peers import library

FAMILY = Mixtures(examples=64)
ROUNDS = 7


def draw(members: int, horizon: int, replicates: int = 1) -> SupervisedBatch:
    """Draw members tasks of the default family, full batch of 64 points."""
    setting = Setting(FAMILY, Mlp(), horizon)
    rngs = [Rng(1).child("bench", i) for i in range(members)]
    tasks = FAMILY.draw(
        setting, rngs, "train", BatchSpec(replicates, measure_held_out=False)
    )
    assert isinstance(tasks, SupervisedBatch)
    return tasks


def seconds(*sides: Callable[[], object]) -> list[float]:
    """Time each side, interleaved; return each one's best round in seconds."""
    best = [float("inf")] * len(sides)
    for side in sides:
        side()
    for _ in range(ROUNDS):
        for i, side in enumerate(sides):
            clock = time.perf_counter()
            side()
            best[i] = min(best[i], time.perf_counter() - clock)
    return best


def unroll_sides() -> tuple[Callable[[], object], Callable[[], object]]:
    """Meta-train the controller on 16 tasks, 20 steps: batched, and a loop."""
    learner, estimator = LrScale(), Unroll(length=20, order="second")
    together = draw(16, 20)
    alone = [together.take([i]) for i in range(16)]
    meta = learner.init([Rng(0)], together)
    step_context = OuterStepContext(0, 0, 1, (Rng(0),))

    def batched() -> Meta:
        found = estimator.estimate(meta, RuleProblem(learner, together), step_context)
        return Meta(found.grads or {}, {})

    def looped() -> list[object]:
        return [
            estimator.estimate(meta, RuleProblem(learner, task), step_context).grads
            for task in alone
        ]

    return batched, looped


def module_run(tasks: SupervisedBatch, steps: int) -> Callable[[], object]:
    """Return an ordinary torch training of the same net on the same points."""
    x = tasks.data.x[0, :, : tasks.data.train].T.contiguous()
    y = tasks.data.y[0, : tasks.data.train]

    def play() -> object:
        net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.3)
        for _ in range(steps):
            optimizer.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimizer.step()
        return net

    return play


def engine_run(members: int, steps: int) -> Callable[[], list[TraceSegment]]:
    """Return the engine's SGD on so many replicates, with all its traces."""
    tasks = draw(members, steps, members)
    rule = ScheduledRule(Sgd(), torch.full((members, 1), 0.3))
    return lambda: list(run_training(tasks, rule))


def jax_runs(members: int, steps: int) -> Callable[[], object] | None:
    """Return the same runs in JAX, jit and vmap; None where it is not installed."""
    jax = library("jax")
    if jax is None:
        return None
    tasks = draw(members, steps, members)
    x = jax.numpy.asarray(tasks.data.x[..., : tasks.data.train].numpy())
    y = jax.numpy.asarray(tasks.data.y[:, : tasks.data.train].numpy())
    views = tasks.layout.views(tasks.start())
    weights = {name: jax.numpy.asarray(w.numpy()) for name, w in views.items()}

    def loss(net: Any, x: Any, y: Any) -> Any:
        h = jax.nn.relu(net["w0"] @ x + net["b0"][:, None])
        out = jax.nn.log_softmax(net["w1"] @ h + net["b1"][:, None], axis=0)
        return -jax.numpy.take_along_axis(out, y[None], axis=0).mean()

    def train(net: Any, x: Any, y: Any) -> Any:
        def step(net: Any, _: None) -> tuple[Any, Any]:
            value, grad = jax.value_and_grad(loss)(net, x, y)
            return jax.tree.map(lambda w, g: w - 0.3 * g, net, grad), value

        return jax.lax.scan(step, net, None, steps)[1]

    run = jax.jit(jax.vmap(train))
    return lambda: jax.block_until_ready(run(weights, x, y))


def main() -> None:
    """Print the ratios that are asked of the engine."""
    torch.set_num_threads(1)
    table = Table("measurement", "ours", "other", "ratio", "asked")
    batched, looped = seconds(*unroll_sides())
    table.add_row(
        "controller by unroll, 16 tasks × 20 steps: batched vs a loop over tasks",
        f"{batched * 1e3:.1f} ms",
        f"{looped * 1e3:.1f} ms",
        f"{looped / batched:.1f} ×",
        "≥ 6 ×",
    )
    sizes = (1, 16, 32, 64, 128, 256)
    times = seconds(module_run(draw(1, 200), 200), *(engine_run(n, 200) for n in sizes))
    one = times[0]
    for size, found in zip(sizes, times[1:], strict=True):
        table.add_row(
            f"{size} replicates of 200 SGD steps vs one nn.Module run",
            f"{found * 1e3:.0f} ms",
            f"{one * 1e3:.0f} ms",
            f"{found / one:.2f} ×",
            "≤ 1.5 ×" if size == 16 else "",
        )
    for size, asked in ((16, "≥ 1 ×"), (256, "≥ 2 ×")):
        peer = jax_runs(size, 200)
        if peer is None:
            continue
        ours, theirs = seconds(engine_run(size, 200), peer)
        table.add_row(
            f"{size} replicates of 200 SGD steps vs JAX jit and vmap",
            f"{ours * 1e3:.0f} ms",
            f"{theirs * 1e3:.0f} ms",
            f"{theirs / ours:.2f} ×",
            asked,
        )
    Console().print(table)


if __name__ == "__main__":
    main()
