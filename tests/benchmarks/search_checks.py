"""Search strategies on NAS-Bench-201 against the figures that are asked of them.

A search on CIFAR-10 spends 12,000 training seconds on cells of 12 epochs, sees their
validation accuracy, and answers with the best it saw; the answer's test accuracy after
200 epochs is looked up on all three data sets. Means are over 500 searches, the same
streams for every strategy, so that differences are paired. The published searches also
paid for validation, which the table does not hold.

    python -m tests.benchmarks.search_checks NAME … [--searches 500] [--seed 7]

NAME is any of random, evolution, policy, others, predictor and speed. The data pack's
folder is in METASCOPE_DATA.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console
from rich.table import Table
from scipy.stats import ttest_1samp

from engine.algorithms.search.encodings import ENCODINGS
from engine.catalogue import find_card
from engine.contract.registry import part
from engine.contract.rng import Rng
from engine.nets.mlp import Mlp
from engine.protocol import BatchSpec, Learner, SearchBatch, Setting
from engine.protocol.member_chunks import join_segments
from engine.tasks.search.nasbench201 import Nasbench201
from tests.predictor_correlation import predictor_correlation

HORIZON, SETS = 300, ("CIFAR-10", "CIFAR-100", "ImageNet16-120")
# Dong and Yang (2020), table 5: random search; and how far off a mean may be.
PUBLISHED = {"CIFAR-10": 93.70, "CIFAR-100": 71.04, "ImageNet16-120": 44.57}
ROOM = {"CIFAR-10": 0.15, "CIFAR-100": 0.4, "ImageNet16-120": 0.6}
EVOLVED = {
    "CIFAR-10": (93.85, 94.20),
    "CIFAR-100": (71.6, 72.4),
    "ImageNet16-120": (45.3, 46.0),
}
DEAREST = 208.0  # s; no cell costs more, so that with more left a search continues
REPEATS, EVALUATIONS, LIMIT = 50, 500, 20.0
LABELS, UNSEEN, DRAWS, PREDICTORS, LEAST = 100, 1000, 50, 5, 0.6


class Line(NamedTuple):
    """One figure beside what is asked of it; nothing where nothing is."""

    what: str
    found: str
    asked: str = ""
    kept: bool = True


class Given(NamedTuple):
    """How many searches, and from which seed."""

    searches: int
    seed: int


def learner(name: str) -> Learner:
    """Return a strategy by name, at its defaults."""
    find_card("learner", name)  # asking for any card discovers every part
    found = part("learner", name)()
    assert isinstance(found, Learner)
    return found


def draw(family: Nasbench201, horizon: int, given: Given) -> SearchBatch:
    """Draw searches of one replicate."""
    streams = [Rng(given.seed).child("test", 0, i) for i in range(given.searches)]
    setting = Setting(family, Mlp(), horizon)
    tasks = family.draw(setting, streams, "test", BatchSpec())
    assert isinstance(tasks, SearchBatch)
    return tasks


def run(strategy: Learner, tasks: SearchBatch) -> dict[str, np.ndarray]:
    """Search from nothing; return the traces."""
    meta = strategy.init((Rng(0),), tasks)
    found = join_segments(list(strategy.adapt(meta, tasks)))
    return {name: trace.numpy() for name, trace in found.traces.items()}


@cache
def answers(name: str, given: Given) -> np.ndarray:
    """Return each search's answer in points of test accuracy; (search, data set)."""
    tasks = draw(Nasbench201(), HORIZON, given)
    traces = run(learner(name), tasks)
    tried, signal = traces["architecture"], traces["signal"]
    if (traces["spent"][:, -1] < tasks.budget - DEAREST).any():
        raise SystemExit(f"{name}: a search ended before its budget did")
    best = np.nan_to_num(signal, nan=-1.0).argmax(1)
    number = tried[np.arange(len(tried)), best].astype(np.int64)
    order = [tasks.evaluator.tasks.index(name) for name in SETS]
    scores = [tasks.evaluator.scores(which) for which in order]
    found = 100.0 * np.stack([s[number] for s in scores if s is not None], 1)
    # What the search itself said of its answer is the same as what is looked up.
    np.testing.assert_allclose(found[:, 0], 100.0 * traces["score"][:, -1], atol=1e-4)
    trained = np.isfinite(tried).sum(1)
    Console(stderr=True).print(f"{name}: {trained.mean():.1f} cells a search")
    return found


def levels(
    name: str, given: Given, bands: dict[str, tuple[float, float]]
) -> list[Line]:
    """State the mean on each data set, against a band where there is one."""
    lines = []
    for i, data in enumerate(SETS):
        found = answers(name, given)[:, i]
        low, high = bands.get(data, (-np.inf, np.inf))
        asked = f"{low:.2f} to {high:.2f}" if data in bands else ""
        told = f"{found.mean():.2f} ± {found.std():.2f}"
        lines.append(Line(f"{name}, {data}", told, asked, low <= found.mean() <= high))
    return lines


def above(one: str, two: str, given: Given, *, asked: bool = True) -> Iterator[Line]:
    """State paired differences of two strategies; on CIFAR-10 it must exclude 0."""
    for i, data in enumerate(SETS):
        gap = answers(one, given)[:, i] - answers(two, given)[:, i]
        low, high = ttest_1samp(gap, 0.0).confidence_interval(0.95)
        told = f"{gap.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        held = asked and i == 0
        what = f"{one} − {two}, {data}"
        yield Line(what, told, "> 0" if held else "", low > 0 or not held)


def random(given: Given) -> Iterator[Line]:
    """Random search at the published level."""
    bands = {s: (PUBLISHED[s] - ROOM[s], PUBLISHED[s] + ROOM[s]) for s in SETS}
    yield from levels("random_search", given, bands)


def evolution(given: Given) -> Iterator[Line]:
    """Regularized evolution at the published level, and above random search."""
    yield from levels("regularized_evolution", given, EVOLVED)
    yield from above("regularized_evolution", "random_search", given)


def policy(given: Given) -> Iterator[Line]:
    """REINFORCE between random search and evolution; actor-critic beside it."""
    yield Line("reinforce, rate", f"{learner('reinforce').rate:g}")  # type: ignore[attr-defined]
    yield from levels("reinforce", given, {})
    yield from above("reinforce", "random_search", given)
    yield from above("regularized_evolution", "reinforce", given)
    yield from levels("actor_critic", given, {})
    yield from above("actor_critic", "random_search", given, asked=False)


def others(given: Given) -> Iterator[Line]:
    """The other strategies beside evolution; nothing is asked of them."""
    for name in ("steady_evolution", "local_search", "predictor_search", "tpe"):
        yield from levels(name, given, {})
        yield from above(name, "regularized_evolution", given, asked=False)


def predictor(given: Given) -> Iterator[Line]:
    """Rank correlation of the bagged ridge on 1000 unseen cells from 100 labels."""
    tasks = draw(Nasbench201(), 1, Given(1, given.seed))
    size = tasks.space.size
    codes = tasks.space.codes(np.arange(size))
    for name, encode in ENCODINGS.items():
        features = encode(tasks.space, codes)
        for data in SETS:
            which = np.full(size, tasks.evaluator.tasks.index(data))
            short, zeros = np.zeros(size, np.int64), np.zeros(size)
            seen = tasks.evaluator.measure(which, codes, short, zeros)
            found = []
            for repeat in range(DRAWS):
                dice = np.random.default_rng((given.seed, repeat))
                order = dice.permutation(size)
                few, far = order[:LABELS], order[LABELS : LABELS + UNSEEN]
                bag = dice.random((PREDICTORS, LABELS))
                for truth in (seen.signal, seen.score):
                    given_to = features[few], seen.signal[few], features[far]
                    found.append(predictor_correlation(*given_to, truth[far], bag))
            same, later = np.array(found).reshape(DRAWS, 2).mean(0)
            held = name == "path"
            asked = f"≥ {LEAST}" if held else ""
            what = f"{name}, {data}: after 12 epochs"
            yield Line(what, f"{same:.3f}", asked, same >= LEAST or not held)
            yield Line(f"{name}, {data}: test after 200", f"{later:.3f}")


def speed(given: Given) -> Iterator[Line]:
    """CPU seconds of 50 repeats of 500 evaluations, one thread."""
    held = (
        "random_search",
        "local_search",
        "regularized_evolution",
        "successive_halving",
        "reinforce",
        "actor_critic",
    )
    for name in (*held, "steady_evolution", "hyperband", "predictor_search", "tpe"):
        family = Nasbench201(seconds=0.0, epochs="200")
        strategy = learner(name)
        tasks = draw(family, EVALUATIONS, Given(REPEATS, given.seed))
        clock = time.process_time()
        run(strategy, tasks)
        spent = time.process_time() - clock
        asked = f"≤ {LIMIT:g} s" if name in held else ""
        yield Line(name, f"{spent:.1f} s", asked, spent <= LIMIT or name not in held)


CHECKS: dict[str, Callable[[Given], Iterator[Line]]] = {
    "random": random,
    "evolution": evolution,
    "policy": policy,
    "others": others,
    "predictor": predictor,
    "speed": speed,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", choices=CHECKS, metavar="NAME")
    parser.add_argument("--searches", type=int, default=500)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    given = Given(asked.searches, asked.seed)
    missed = False
    for name in asked.names:
        table = Table(
            "", "measured", "asked", "", title=f"{name}: {CHECKS[name].__doc__}"
        )
        for line in CHECKS[name](given):
            said = "" if not line.asked else "kept" if line.kept else "MISSED"
            missed |= not line.kept
            table.add_row(line.what, line.found, line.asked, said)
        Console().print(table)
    raise SystemExit(int(missed))


if __name__ == "__main__":
    main()
