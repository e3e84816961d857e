"""The LSTM optimizer against tuned hand-made ones on random 10-D quadratics.

The measure is the one of Andrychowicz et al. (2016), section 3.1: f = ‖W x − y‖² at
step 100 on 512 fresh problems. Rates are tuned for it on 128 other problems, eight
a decade; the LSTM, trained on still others by the mean log loss that every learned
optimizer here is trained by, keeps its best on the same 128.

    python -m tests.benchmarks.lstm_quadratics [--minutes 3] [--seed 1]
"""

import argparse
import time
from collections.abc import Iterator

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

import engine.learners
from engine.contract.registry import import_modules, part
from engine.contract.rng import Rng
from engine.estimators.unroll import Unroll
from engine.learners.optimizer.lstm import Lstm
from engine.nets.mlp import Mlp
from engine.outers.adam import Adam
from engine.protocol import (
    BatchSpec,
    Learner,
    Meta,
    OptimizationBatch,
    OuterStepContext,
    Setting,
)
from engine.protocol.member_chunks import join_segments
from engine.tasks.optimization.quadratic import Quadratic

BASELINES = ("sgd", "momentum", "nesterov", "adam", "rmsprop", "adagrad")
HORIZON, TESTS, TUNING, TRAINING, WINDOW = 100, 512, 128, 64, 20
MARKS = (20, 50, 100)


def draw(seed: int, pool: str, count: int, *path: int) -> OptimizationBatch:
    """Draw fresh problems from a pool."""
    setting = Setting(Quadratic(), Mlp(), HORIZON)
    rngs = [Rng(seed).child(pool, *path, t) for t in range(count)]
    return setting.family.draw(setting, rngs, pool, BatchSpec())


def curve(learner: Learner, meta: Meta, tasks: OptimizationBatch) -> Tensor:
    """Return the mean f after every step; shape (step,)."""
    loss = join_segments(list(learner.adapt(meta, tasks))).traces["loss"]
    return torch.nan_to_num(loss, torch.inf).mean(0)


def tuned(name: str, tasks: OptimizationBatch) -> tuple[Learner, Meta]:
    """Return a hand-made optimizer at the rate whose last mean f is lowest."""
    learner = part("learner", name)()
    assert isinstance(learner, Learner)
    metas = [Meta({"lr": torch.tensor([10 ** (p / 8)])}, {}) for p in range(-24, 5)]
    scores = [curve(learner, meta, tasks)[-1] for meta in metas]
    return learner, metas[int(torch.stack(scores).argmin())]


def trained(
    seed: int, minutes: float, exam: OptimizationBatch
) -> Iterator[tuple[int, Meta]]:
    """Train the LSTM for some processor minutes; yield horizons and weights."""
    learner, outer, estimator = (
        lstm(),
        Adam(lr=0.01, clip=0.0),
        Unroll(length=WINDOW, equal=False),
    )
    segments = HORIZON // WINDOW
    meta = learner.init([Rng(seed).child("init")], exam)
    state = outer.start(meta.weights)
    end, step = time.process_time() + 60 * minutes, 0
    while time.process_time() < end:
        tasks = draw(seed, "train", TRAINING, step)
        for segment in range(segments):
            step_context = OuterStepContext(
                step * segments + segment, segment, segments, (Rng(seed),)
            )
            found = learner.outer(meta, tasks, step_context, estimator)
            assert found.grads is not None
            weights, state = outer.step(meta.weights, found.grads, state)
            meta = Meta(weights, found.memory)
        step += 1
        yield step, Meta(weights, {})


def lstm() -> Lstm:
    """Return the LSTM as it is trained here."""
    return Lstm()


def best_lstm(seed: int, minutes: float, exam: OptimizationBatch) -> tuple[int, Meta]:
    """Return the weights whose last mean f on the exam is lowest, and their step."""
    best, kept = torch.inf, (0, lstm().init([Rng(seed).child("init")], exam))
    for step, meta in trained(seed, minutes, exam):
        score = float(curve(lstm(), meta, exam)[-1]) if step % 5 == 0 else torch.inf
        if score < best:
            best, kept = score, (step, meta)
    return kept


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--minutes", type=float, default=3.0, help="of processor time")
    words.add_argument("--seed", type=int, default=1)
    asked = words.parse_args()
    torch.set_num_threads(1)
    import_modules(engine.learners)
    exam, test = (
        draw(asked.seed, pool, n)
        for pool, n in (("validation", TUNING), ("test", TESTS))
    )
    table = Table("optimizer", "chosen", *[f"f at {mark}" for mark in MARKS])
    for name in BASELINES:
        learner, meta = tuned(name, exam)
        found = curve(learner, meta, test)[list(MARKS)]
        rate = f"rate {meta.weights['lr'].item():.3g}"
        table.add_row(name, rate, *[f"{f:.3f}" for f in found.tolist()])
    step, meta = best_lstm(asked.seed, asked.minutes, exam)
    found = curve(lstm(), meta, test)[list(MARKS)]
    table.add_row("lstm", f"horizon {step}", *[f"{f:.3f}" for f in found.tolist()])
    Console().print(table)


if __name__ == "__main__":
    main()
