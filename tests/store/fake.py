"""A run for tests: deterministic, resumable, slow on demand, and able to fail.

What happens stands in the family's knobs: `steps`, `pause` (seconds a step),
`fault` (hang, segfault, raise, diverge, refuse, hog) at step `at`, and whether
it happens only to an attempt that starts from the beginning (`once`).
"""

import ctypes
import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from engine.contract.errors import Refused
from engine.contract.events import Artefact, Block, Checkpoint, Event, Note, Timing
from engine.contract.run_spec import (
    Budget,
    Choice,
    LearnerChoice,
    RunSpec,
    canonical_json,
)
from engine.executors.stop_signal import StopSignal
from engine.executors.worker import play
from engine.executors.worker_functions import Toolkit
from engine.store import Store

REPLICATES, TASKS, WIDTH = 2, 3, 5


def spec(seed: int = 0, **knobs: object) -> RunSpec:
    """Return a spec of the fake family."""
    return RunSpec(
        family=Choice(name="fake", knobs=knobs),
        learners=(
            LearnerChoice(name="walk", label="walk"),
            LearnerChoice(name="sgd", label="sgd", role="baseline"),
        ),
        budget=Budget(test_tasks=TASKS, horizon=WIDTH),
        replicates=REPLICATES,
        seed=seed,
        device="cpu",
    )


def key(of: RunSpec) -> str:
    """Return a key for it; the real one needs cards."""
    return hashlib.sha256(canonical_json(of.model_dump(mode="json"))).hexdigest()


def keys(of: RunSpec) -> list[str]:
    """Return the only key that it ever had."""
    return [key(of)]


def submit(store: Store, seed: int = 0, **knobs: object) -> str:
    """File a fake run and return its key."""
    wish = spec(seed, **knobs)
    return store.submit(wish, key(wish)).key


def noise(seed: int, step: int) -> np.ndarray:
    """Return the draw of one step: a pure function of the seed and its place."""
    return np.random.Generator(np.random.Philox(key=seed * 1000 + step)).normal(
        size=(REPLICATES, TASKS)
    )


def run(
    wish: RunSpec,
    shelf: object,
    resume: Checkpoint | None = None,
    *,
    helpers: object = None,
) -> Iterator[Event]:
    """Play a walk whose every number depends on the whole way to it."""
    knobs = {"steps": 20, "pause": 0.0, "fault": "", "at": 5, "once": False, "bulk": 1}
    knobs |= wish.family.knobs
    place, first = np.zeros((REPLICATES, TASKS)), 0
    if resume is not None:
        place, first = resume.arrays["place"].copy(), resume.state["step"]
    for step in range(first, knobs["steps"]):
        if step == knobs["at"] and not (knobs["once"] and resume is not None):
            yield from fail(knobs["fault"])
        time.sleep(knobs["pause"])
        place = np.cos(place) + noise(wish.seed, step)
        yield from learned(step, place, knobs["bulk"])
        yield Note("train walk", (step + 1) / knobs["steps"] * 0.9, f"step {step}")
        yield Checkpoint({"place": place.copy()}, {"step": step + 1})
    yield Artefact("walk", "frozen", {"place": place}, {"learner": "walk"})
    for label in ("walk", "sgd"):
        yield from tested(label, place + len(label))
    yield Timing("walk", "train walk", 0.5)
    yield Note("end", 1.0)
    if knobs["fault"] == "diverge":
        fail_diverged()


def learned(step: int, place: np.ndarray, bulk: int) -> Iterator[Event]:
    """Yield the training curve's point, `bulk` numbers wide, and the live view."""
    axes = ("replicate", "step")
    mean = place.mean(axis=1, keepdims=True)
    wide = np.repeat(mean, bulk, axis=1)
    at = {"step": tuple(step + i / bulk for i in range(bulk))}
    yield Block("walk", "train", "meta_loss", axes, wide, coords=at)
    view = np.repeat(mean, WIDTH, axis=1).astype(np.float32)
    span = {"step": tuple(float(i) for i in range(WIDTH))}
    yield Block("walk", "validate", "loss", axes, view, coords=span)


def tested(label: str, place: np.ndarray) -> Iterator[Block]:
    """Yield the traces and summaries of a learner; one member diverges."""
    trace = np.exp(-np.arange(WIDTH + 1) / 7 + place[..., None] / 9).astype(np.float32)
    if label == "sgd":
        trace[0, 1, 3:] = np.nan
    axes = ("replicate", "task")
    yield Block(label, "test", "loss", (*axes, "step"), trace)
    yield Block(label, "test", "final_loss", axes, trace[..., -1])
    lost = np.isnan(trace[..., -1]).astype(np.float32)
    yield Block(label, "test", "diverged", axes, lost)


def fail(fault: str) -> Iterator[Event]:
    """Let happen what a run may do to its worker."""
    if fault == "hang":
        time.sleep(3600)
    elif fault == "segfault":
        ctypes.string_at(0)
    elif fault == "raise":
        raise ZeroDivisionError("a part went wrong\nand said more")
    elif fault == "refuse":
        raise Refused("ways must be at most 5, not 9", "family.knobs.ways")
    elif fault == "hog":
        held = [np.ones(2**24) for _ in range(10_000)]
        yield Note("hog", float(len(held)))


def fail_diverged() -> None:
    """End as a run does whose chosen learner lost every member."""
    from engine.protocol import AllDiverged

    raise AllDiverged("no run of the chosen learner stayed finite")


def summarize(blocks: list[Block], wish: RunSpec) -> dict[str, object]:
    """Count what there is."""
    return {"format": 1, "sentence": f"{len(blocks)} blocks", "seed": wish.seed}


TOOLS = Toolkit(run, summarize, lambda device: {"device": device, "threads": 1})


def unbroken_events(wish: RunSpec) -> Iterator[Event]:
    """Play a spec in one go and without its pauses, on which no number depends."""
    knobs = wish.family.knobs | {"pause": 0.0}
    family = wish.family.model_copy(update={"knobs": knobs})
    return run(wish.model_copy(update={"family": family}), None)


def unbroken(wish: RunSpec) -> dict[tuple[object, ...], bytes]:
    """Return the rows that this spec must give, by address."""
    return rows([e for e in unbroken_events(wish) if isinstance(e, Block)])


def rows(blocks: list[Block]) -> dict[tuple[object, ...], bytes]:
    """Return blocks as bytes by address, the newest of each."""
    return {
        block.address(): repr((block.axes, block.array.shape)).encode()
        + block.array.tobytes()
        for block in blocks
    }


def stored(store: Store, name: str) -> dict[tuple[object, ...], bytes]:
    """Return the rows of a run in a store."""
    return rows(store.blocks(name)[0])


def opened(home: Path) -> Store:
    """Return a store in a folder."""
    return Store.open(home)


def played(store: Store, seed: int = 0, **knobs: object) -> str:
    """Play a fake run in this process and return its key."""
    name = submit(store, seed, **knobs)
    played_on(store)
    return name


def played_on(store: Store) -> None:
    """Play the run that has waited longest in this process."""
    claim = store.claim()
    assert claim is not None
    play(store, claim, TOOLS, StopSignal())


def root() -> Path:
    """Return the top of the project."""
    return Path(__file__).resolve().parents[2]
