"""Gradient-based few-shot learners against the figures that are asked of them.

Sinusoids as Finn, Abbeel and Levine (2017) draw them: 25 tasks a meta-step, as many
queries as shots, Adam at 0.001, no outer clip, 1000 test tasks, one replicate. The
bands are around the published figures, with room for what these runs differ in.

    python -m tests.benchmarks.few_shot_checks NAME [--steps 20000] [--seed 7]

NAME is one of early (MAML after 3,000 meta-steps), waves (K = 10), five (K = 5), t_net,
reptile and imaml. `--start` names the initial weights of the ReLU nets; those of MAML's
code are small_normal.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from engine.catalogue import find_card
from engine.contract.events import Block
from engine.contract.rng import Rng
from engine.contract.run_spec import RunSpec, complete_spec
from engine.learners.gradient.imaml import Imaml
from engine.protocol import (
    AllDiverged,
)
from engine.runner.loop import run
from tests.benchmarks.implicit_gradient import (
    PULL,
    RATE,
    UNROLL,
    cosine,
    drawn,
    steepness,
    trained,
    way_left,
)
from tests.in_memory_run_cache import InMemoryRunCache

MLP: dict[str, Any] = {"name": "mlp", "knobs": {"depth": 2, "width": 40}}
ADAM = {"name": "adam", "knobs": {"lr": 0.001, "clip": 0.0}}
MAML, FOMAML, META_SGD, ANIL = (
    {"name": name} for name in ("maml", "fomaml", "meta_sgd", "anil")
)


# Another implementation's errors by inner step, after 3,000 meta-steps, one seed.
ELSEWHERE = {0: 2.8, 1: 0.74, 5: 0.38, 10: 0.33}
SEEDS_DIFFER = 1.25  # × such a figure


class Line(NamedTuple):
    """One figure beside what is asked of it."""

    what: str
    found: float
    asked: str
    kept: bool


Errors = dict[str, np.ndarray]


def within(what: str, found: float, low: float, high: float) -> Line:
    """Hold a figure against a band."""
    return Line(what, found, f"{low:g} to {high:g}", low <= found <= high)


def at_most(what: str, found: float, high: float) -> Line:
    """Hold a figure against a limit."""
    return Line(what, found, f"≤ {high:.3g}", found <= high)


def errors_by_task(body: dict[str, Any]) -> Errors:
    """Play a spec; return each learner's test errors, (replicate, task, step)."""
    spec = complete_spec(RunSpec.model_validate(body), find_card, "cpu")
    found: Errors = {}
    with suppress(AllDiverged):
        for event in run(spec, InMemoryRunCache()):
            if not isinstance(event, Block) or event.phase != "test":
                continue
            if event.metric == "query_mse":
                rows = np.nan_to_num(event.array, nan=100.0, posinf=100.0)
                found[event.learner] = np.minimum(rows, 100.0)
    return found


def played(body: dict[str, Any]) -> Errors:
    """Play a spec; return each learner's mean test error after 0, 1, … inner steps."""
    found = {label: rows.mean((0, 1)) for label, rows in errors_by_task(body).items()}
    for label, error in found.items():
        shown = ", ".join(f"{value:.3f}" for value in error[[0, 1, 5, 10]])
        Console().print(f"{label}: {shown} after 0, 1, 5, 10 steps")
    return found


def sinusoids(
    learners: list[dict[str, Any]], steps: int, seed: int, shots: int = 10
) -> Errors:
    """Train learners on waves and return their test errors by inner step."""
    budget = {
        "task_evaluations": 25 * steps,
        "tasks_per_step": 25,
        "validation_tasks": 200,
        "validate_every": max(1, steps // 40),
        "test_tasks": 1000,
        "horizon": 10,
    }
    family = {"name": "sinusoids", "knobs": {"shots": shots, "queries": shots}}
    body = {"family": family, "net": MLP, "outer": ADAM, "budget": budget}
    body |= {"replicates": 1, "seed": seed}
    found: Errors = {}
    for learner in learners:
        # One at a time, so that each says what it has found; the tasks are the same.
        found |= played(body | {"learners": [learner]})
    return found


def early(steps: int, seed: int) -> Iterator[Line]:
    """MAML soon after its start, beside another implementation."""
    error = sinusoids([MAML], steps, seed)["maml"]
    for step, figure in ELSEWHERE.items():
        yield at_most(f"MAML, {step} steps", error[step], SEEDS_DIFFER * figure)


def waves(steps: int, seed: int) -> Iterator[Line]:
    """Ten shots: MAML, Meta-SGD, FOMAML and ANIL."""
    error = sinusoids([MAML, META_SGD, FOMAML, ANIL], steps, seed)
    own = error["maml"]
    yield within("MAML, start", own[0], 3.0, 3.4)
    yield within("MAML, 1 step", own[1], 0.45, 0.80)
    yield at_most("MAML, 10 steps", own[10], 0.35)
    yield within("Meta-SGD, 1 step", error["meta_sgd"][1], 0.24, 0.55)
    yield at_most("Meta-SGD over MAML", error["meta_sgd"][1] / own[1], 0.75)
    yield within("FOMAML, 1 step", error["fomaml"][1], 0.65, 1.0)
    for k in (5, 10):
        far = abs(error["fomaml"][k] - own[k])
        yield at_most(f"FOMAML from MAML, {k} steps", far, 0.15)
    yield at_most("MAML over ANIL, 1 step", own[1] / error["anil"][1], 0.8)


def five(steps: int, seed: int) -> Iterator[Line]:
    """Five shots."""
    error = sinusoids([MAML, META_SGD], steps, seed, shots=5)
    yield at_most("MAML, 1 step", error["maml"][1], 1.13 + 0.18)
    yield at_most("Meta-SGD, 1 step", error["meta_sgd"][1], 0.90 + 0.16)


def t_net(steps: int, seed: int) -> Iterator[Line]:
    """T-Net beside MAML at three inner rates."""
    rates = (0.01, 0.1, 1.0)
    both = [
        {"name": name, "label": f"{name} {rate:g}", "knobs": {"inner_lr": rate}}
        for rate in rates
        for name in ("maml", "t_net")
    ]
    error = sinusoids(both, steps, seed)
    for rate in rates:
        limit = float(error[f"maml {rate:g}"][1])
        yield at_most(f"α = {rate:g}", float(error[f"t_net {rate:g}"][1]), limit)
    spread = {
        name: np.ptp([np.log(error[f"{name} {rate:g}"][1]) for rate in rates])
        for name in ("maml", "t_net")
    }
    yield Line("spread of ln MSE, MAML", float(spread["maml"]), "", True)
    yield at_most("spread of ln MSE", spread["t_net"], spread["maml"] / 3)


def reptile(steps: int, seed: int) -> Iterator[Line]:
    """Reptile's own demonstration: one wave of any phase a meta-step, 50 points.

    The authors' demo prints the error on one wave; `reptile_demo` has those on many.
    """
    budget = {
        "task_evaluations": steps,
        "tasks_per_step": 1,
        "validation_tasks": 200,
        "validate_every": max(1, steps // 20),
        "test_tasks": 1000,
        "horizon": 32,
    }
    knobs = {"inner_lr": 0.02, "inner_steps": 5, "batch": 10, "test_steps": 32}
    outer = {"lr": 0.1, "clip": 0.0, "schedule": "linear"}
    net = {"depth": 2, "width": 64, "activation": "tanh", "start": "torch_default"}
    family = {"shots": 10, "queries": 40, "phase": 2.0}
    found = errors_by_task(
        {
            "family": {"name": "sinusoids", "knobs": family},
            "net": {"name": "mlp", "knobs": net},
            "outer": {"name": "sgd", "knobs": outer},
            "learners": [{"name": "reptile", "knobs": knobs}],
            "budget": budget,
            "replicates": 1,
            "seed": seed,
        }
    )["reptile"]
    yield Line("start", float(found[..., 0].mean()), "", True)
    yield at_most("32 steps, 10 points, mean", float(found[..., 32].mean()), 0.10)
    yield at_most("32 steps, 10 points, median", float(np.median(found[..., 32])), 0.10)


def imaml(steps: int, seed: int) -> Iterator[Line]:
    """The implicit gradient beside an unroll of 100 held steps, from a trained start.

    Waves, K = 10; the start is what iMAML makes of it in some meta-steps.
    """
    tasks = drawn(seed, 0)
    learner = Imaml(
        inner_lr=RATE, pull=PULL, inner_steps=UNROLL, cg_steps=20, damping=0.0
    )
    meta = learner.init([Rng(seed).child("init")], tasks)
    fresh = cosine(learner, meta, tasks)
    yield Line("cosine to the unroll, fresh start", fresh, "> 0.99", fresh > 0.99)
    meta = trained(Imaml(inner_lr=RATE, pull=PULL), meta, steps, seed)
    found = cosine(learner, meta, tasks)
    yield Line("cosine to the unroll, trained", found, "> 0.99", found > 0.99)
    rest = steepness(learner, meta, tasks)
    yield Line("gradient left after 100 steps", rest, "", True)
    short = cosine(Imaml(inner_lr=RATE, pull=PULL), meta, tasks)
    yield Line("cosine after the default steps, with 5 CG and δ = 1", short, "", True)
    usual, tasks = Imaml(), drawn(seed, 0, "torch_default")
    meta = usual.init([Rng(seed).child("init")], tasks)
    away = way_left(usual, meta, tasks)
    yield Line("way left to the inner optimum by default, fresh", away, "", True)
    away = way_left(usual, trained(usual, meta, steps, seed, "torch_default"), tasks)
    yield Line("way left to the inner optimum by default, trained", away, "", True)


CHECKS: dict[str, tuple[Callable[[int, int], Iterator[Line]], int]] = {
    "early": (early, 3_000),
    "waves": (waves, 20_000),
    "five": (five, 20_000),
    "t_net": (t_net, 4_000),
    "reptile": (reptile, 30_000),
    "imaml": (imaml, 100),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=CHECKS)
    parser.add_argument("--steps", type=int, help="meta-steps; as asked by default")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--start", default="torch_default")
    given = parser.parse_args()
    MLP["knobs"]["start"] = given.start
    torch.set_num_threads(1)
    check, usual = CHECKS[given.name]
    clock = time.process_time()
    lines = list(check(given.steps or usual, given.seed))
    spent = time.process_time() - clock
    table = Table("", "measured", "asked", "", title=f"{given.name}: {check.__doc__}")
    for line in lines:
        said = "" if not line.asked else "kept" if line.kept else "MISSED"
        table.add_row(line.what, f"{line.found:.4g}", line.asked, said)
    Console().print(table)
    Console().print(f"{given.steps or usual} meta-steps, {spent:.0f} CPU seconds")


if __name__ == "__main__":
    main()
