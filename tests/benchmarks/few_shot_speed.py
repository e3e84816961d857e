"""How fast few-shot learning is, as ratios: all sides interleaved in one process.

`python -m tests.benchmarks.few_shot_speed` prints a table; nothing is asserted. Peers
stand in `tests/benchmarks/requirements.txt`; one that is absent is left out by name.
"""

import subprocess
import sys
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.table import Table

from engine.contract.rng import Rng
from engine.estimators.unroll import Unroll
from engine.learners.gradient.maml import Maml
from engine.learners.metric.protonet import Protonet
from engine.nets.conv4 import Conv4
from engine.nets.mlp import Mlp
from engine.outers.adam import Adam
from engine.protocol import (
    BatchSpec,
    EpisodeBatch,
    Learner,
    Meta,
    Net,
    OuterStepContext,
    Setting,
)
from engine.tasks.few_shot._family import EpisodeFamily
from engine.tasks.few_shot.sinusoids import Sinusoids
from tests.benchmarks import few_shot_peers as peers
from tests.benchmarks.roof import count_flops, peak_rate

Side = Callable[[], object]
ROUNDS, LEAST = 5, 0.3
LESSON = OuterStepContext(0, 0, 1, (Rng(0),))


def draw(family: EpisodeFamily, net: Net, tasks: int) -> EpisodeBatch:
    """Draw lessons of one replicate."""
    rngs = [Rng(1).child("bench", i) for i in range(tasks)]
    return family.draw(Setting(family, net, 1), rngs, "train", BatchSpec())


def images(net: Net, ways: int, shots: int, queries: int, tasks: int) -> EpisodeBatch:
    """Draw episodes of noise in the size of Omniglot's characters."""
    draw = torch.Generator().manual_seed(0)

    def shots_of(each: int) -> peers.ExampleBatch:
        x = torch.rand(tasks, 784, ways * each, generator=draw)
        return peers.ExampleBatch(
            x, torch.arange(ways).repeat_interleave(each).repeat(tasks, 1)
        )

    return EpisodeBatch(
        net, (1, 28, 28), ways, True, 0, 1, 1, shots_of(shots), shots_of(queries)
    )


def meta_steps(learner: Learner, tasks: EpisodeBatch) -> Side:
    """Return one whole meta-step of ours: outer gradient and Adam."""
    rule = Adam(lr=1e-3, clip=0.0)
    meta = learner.init([Rng(0)], tasks)
    held = {"weights": meta.weights, "state": rule.start(meta.weights)}

    def step() -> object:
        outer = learner.outer(Meta(held["weights"], {}), tasks, LESSON, Unroll())
        held["weights"], held["state"] = rule.step(
            held["weights"], outer.grads or {}, held["state"]
        )
        return held

    return step


def seconds(sides: dict[str, Side]) -> dict[str, float]:
    """Time each side, interleaved; the best round of each, in seconds a call."""
    counts = {}
    for name, side in sides.items():
        side()
        clock = time.perf_counter()
        side()
        counts[name] = max(1, int(LEAST / (time.perf_counter() - clock)))
    best = dict.fromkeys(sides, float("inf"))
    for _ in range(ROUNDS):
        for name, side in sides.items():
            clock = time.perf_counter()
            for _ in range(counts[name]):
                side()
            each = (time.perf_counter() - clock) / counts[name]
            best[name] = min(best[name], each)
    return best


def sinusoids(steps: int) -> dict[str, Side]:
    """Second-order MAML on 25 sinusoids with ten points, and its peers."""
    tasks = draw(Sinusoids(), Mlp(depth=2, width=40), 25)
    learner = Maml(inner_lr=0.01, inner_steps=steps)
    return {
        "ours": meta_steps(learner, tasks),
        **peers.sinusoid_sides(tasks, steps),
    }


def characters() -> dict[str, Side]:
    """Second-order MAML on 8 tasks of five characters, Conv4 with 64 filters."""
    tasks = images(Conv4(normalization="batch"), 5, 1, 15, 8)
    learner = Maml(inner_lr=0.4, inner_steps=1)
    return {"ours": meta_steps(learner, tasks), **peers.conv_sides(tasks)}


def prototypes() -> dict[str, Side]:
    """Prototypical networks, 60 ways, 5 shots and 5 queries, Conv4 with 64 filters."""
    tasks = images(Conv4(normalization="batch"), 60, 5, 5, 1)
    return {"ours": meta_steps(Protonet(), tasks), **peers.prototype_sides(tasks)}


def peak() -> float:
    """Return the peak memory of 32 tasks × 5 inner steps on Conv4, MB; Linux only.

    `getrusage` would not do: a child's maximum starts at what its parent had.
    """
    program = (
        "import torch; torch.set_num_threads(1);"
        "from tests.benchmarks import few_shot_speed as f;"
        "from engine.executors.allocator import configure_allocator as configure;"
        "configure();"
        "t = f.images(f.Conv4(normalization='batch'), 5, 1, 15, 32);"
        "f.meta_steps(f.Maml(inner_lr=0.4, inner_steps=5), t)();"
        "told = dict(l.split(':', 1) for l in open('/proc/self/status'));"
        "print(int(told['VmHWM'].split()[0]) / 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return float(done.stdout.split()[-1])


ASKED = {
    "sinusoid MAML, second order, 25 tasks, 1 inner step": "≥ 9 × the loop",
    "sinusoid MAML, second order, 25 tasks, 5 inner steps": "≥ 12 × the loop",
    "Conv4 MAML, second order, 5-way 1-shot, 8 tasks": "≥ 1.5 × the loop",
    "prototypical networks, 60-way 5-shot": "≥ 1.8 × easyfsl",
}


def main() -> None:
    """Print the ratios that are asked of the engine."""
    torch.set_num_threads(1)
    made = (lambda: sinusoids(1), lambda: sinusoids(5), characters, prototypes)
    peak = peak_rate()
    columns = ("side", "ms a meta-step", "ours is", "asked", "of the roof")
    table = Table("measurement", *columns)
    for (title, asked), make in zip(ASKED.items(), made, strict=True):
        sides = make()
        work, found = count_flops(sides["ours"]), seconds(sides)
        for i, (name, each) in enumerate(found.items()):
            ratio = "" if name == "ours" else f"{each / found['ours']:.2f} ×"
            first = (title, asked) if not i else ("", "")
            share = f"{work / each / peak:.0%}"
            table.add_row(first[0], name, f"{each * 1e3:.2f}", ratio, first[1], share)
    table.add_row(
        "peak memory, Conv4 MAML, 32 tasks × 5 inner steps",
        "ours",
        f"{peak():.0f} MB",
        "",
        "≤ 550 MB",
    )
    console = Console()
    console.print(table)
    for name in peers.absent():
        console.print(f"{name} is not installed here: not measured")


if __name__ == "__main__":
    main()
