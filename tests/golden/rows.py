"""Golden rows: one tiny run per part, filed by the part's version.

`python -m tests.golden.rows` records them all anew, and with the names of parts only
theirs (`python -m tests.golden.rows my_learner`). A part whose rows changed gets a new
`version`, too.

A row is held exactly on the kind of machine that recorded it. Another one may round
otherwise, so each row comes with its bound: how far it spreads where the last bits of
what it adds and multiplies are moved at random (`tests.golden.rounding`).
"""

import argparse
import json
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
import pytest
import torch

from engine.contract.registry import part, parts
from engine.contract.run_spec import LearnerChoice, RunSpec
from engine.device import fingerprint
from engine.protocol import Family
from engine.runner.results_of_other_runs import RunCache
from tests.golden.rounding import rounded_otherwise
from tests.in_memory_run_cache import InMemoryRunCache
from tests.laws.small import (
    SHELF,
    TINY,
    brief_episodes,
    families,
    knobbed,
    learner_spec,
    names,
    rows,
)
from tests.laws.test_shifts import CASES, fitting, small

FILE = Path(__file__).with_name("rows.json")
# What learns for long is chaotic, and rounding alone would excuse a wrong formula.
SMALL = {"side": "14", "steps": "18", "presentations": 4}
BRIEF = {"few_shot": {"task_evaluations": 8, "validation_tasks": 8}}
SEGMENTS = {"task_evaluations": 48}  # enough for an estimator to remember some
IMAGES = {"task_evaluations": 4, "validation_tasks": 8, "horizon": 1}
# What a test task is judged by; where that is a count of right answers, its loss.
SMOOTH = ("area", "regret_area", "final_query_loss", "final_mse", "trial_regret")
COUNTED = "error"
NOTHING = 1e-4
EARNED = "trial_return"  # for an oracle, whose regret is 0 whatever it plays
# And the meta-training, for the test may be of the start, where no later weights did
# better on validation.
TAUGHT = ("meta_loss", "lesson_loss", "trial_reward", "outer_grad_norm")
OTHERS = 8  # other roundings that a bound is taken from
# The farthest of eight draws is passed by a ninth once in nine; four times as far is
# out of reach of rounding, whatever the shape of its spread.
WIDER = 4.0


class Golden(NamedTuple):
    """The recorded rows of one part.

    Args:
        version: The part's.
        machine: Position of the fingerprint of what recorded them.
        values: What every test task is judged by, condition by condition.
        bound: How far from each value another machine's may lie.
    """

    version: int
    machine: int
    values: list[float]
    bound: list[float]


def cases() -> dict[str, RunSpec]:
    """Return a tiny run for each part whose rows must not drift."""
    found = {f"learner/{n}": brief(learner_spec(n)) for n in names("learner")}
    for kind in TINY:
        found |= {f"family/{n}": brief(drawn_small(n)) for n in families(kind)}
    for name in names("estimator"):
        knobs = (
            {"unroll": 3} if "unroll" in part("estimator", name).model_fields else {}
        )
        truncated = {"name": name, "knobs": knobs}
        spec = learner_spec("lr_scale", estimator=truncated, budget=SEGMENTS)
        found[f"estimator/{name}"] = spec
    for name, kind in CASES:
        of = "" if kind == "optimization" else f"/{kind}"
        with suppress(pytest.skip.Exception):
            found[f"shift/{name}{of}"] = brief(shift_spec(name, kind))
    return {name: found[name] for name in sorted(found)}


def brief(spec: RunSpec) -> RunSpec:
    """Shorten the training of a kind, or of images, that would be chaotic."""
    family = part("family", spec.family.name)
    assert issubclass(family, Family)
    less = IMAGES if "side" in family.model_fields else BRIEF.get(family.kind, {})
    budget = spec.budget.model_copy(update=less)
    learners = tuple(map(keep_rate, spec.learners)) if family.kind == "rl" else ()
    return spec.model_copy(
        update={"budget": budget, "learners": learners or spec.learners}
    )


def keep_rate(choice: LearnerChoice) -> LearnerChoice:
    """Let an untrained policy keep its rate: the best one hangs on rounding."""
    trains = getattr(part("learner", choice.name), "trains", False)
    if trains or "tuning" not in choice.knobs:
        return choice
    return choice.model_copy(update={"knobs": choice.knobs | {"tuning": "given"}})


def drawn_small(name: str) -> RunSpec:
    """Return a tiny run on a family: small images, short trainings and episodes."""
    fields = part("family", name).model_fields
    knobs = {
        knob: value
        for knob, value in SMALL.items()
        if knob in fields
        and (
            value in get_args(fields[knob].annotation)
            or fields[knob].annotation is type(value)
        )
    }
    return knobbed(name, knobs | brief_episodes(name))


def shift_spec(name: str, kind: str) -> RunSpec:
    """Return a tiny run under a shift at its strongest."""
    top = max(part("shift", name).severities)  # type: ignore[attr-defined]
    shifts = [{"name": name, "severities": [top]}]
    fits = fitting(name, kind).family
    return small(fits.name, kind, fits.knobs, shifts=shifts)


def values(spec: RunSpec, cache: RunCache = SHELF) -> np.ndarray:
    """Return how each meta-training went, and how each condition was tested."""
    taught: list[np.ndarray] = []
    judged: dict[tuple[object, ...], dict[str, np.ndarray]] = {}
    for address, array in rows(spec, cache).items():
        label, phase, metric, *where = (*address, "", "")  # type: ignore[misc]
        if phase == "train" and metric in TAUGHT:
            taught.append(array.ravel())
        elif label and phase == "test" and metric in (*SMOOTH, COUNTED, EARNED):
            judged.setdefault((label, *where[:3]), {})[metric] = array.ravel()
    tested = [row for found in judged.values() for row in _best(found)]
    return np.concatenate([*taught, *tested]).astype(float)


def _best(found: dict[str, np.ndarray]) -> list[np.ndarray]:
    smooth = [found[metric] for metric in SMOOTH if metric in found]
    # Not exactly 0: other roundings must find the same.
    if EARNED in found and np.abs(smooth).max() < NOTHING:
        return [found[EARNED]]
    return smooth or [found[COUNTED]]


def bound(spec: RunSpec, center: np.ndarray) -> np.ndarray:
    """Return how far from its values a run can come by rounding alone."""
    farthest = np.spacing(np.abs(center).astype(np.float32)).astype(float)
    for seed in range(OTHERS):
        with rounded_otherwise(seed):
            apart = np.abs(values(spec, InMemoryRunCache()) - center)
        farthest = np.maximum(farthest, apart)
    return WIDER * farthest


def version(name: str) -> int:
    """Return the version that a part states."""
    slot, of, *_ = name.split("/")
    return part(slot, of).version


def recorded() -> tuple[list[dict[str, Any]], dict[str, Golden]]:
    """Read the file: the machines that recorded, and the rows by their names."""
    body = json.loads(FILE.read_text())
    return body["machines"], {n: Golden(*row) for n, row in body["rows"].items()}


def find_orphans(row_names: Iterable[str]) -> list[str]:
    """Return the names of rows whose part is gone.

    Not what `cases` lacks: a family whose data file is absent here is still a part.

    >>> find_orphans(["learner/maml", "learner/gone", "shift/stretch/search"])
    ['learner/gone', 'shift/stretch/search']
    """
    known = {f"{each.slot}/{each.name}" for each in parts()}
    known |= {f"shift/{name}/{kind}" for name, kind in CASES}
    return sorted(set(row_names) - known)


def record(asked: Iterable[str] = ()) -> list[str]:
    """Record the rows of some parts, or of all that are here; returns their names.

    Rows whose part is gone are dropped.

    Raises:
        SystemExit: If a name is none of a part.
    """
    found = [name for name in cases() if _is_asked(name, tuple(asked))]
    machines, kept = recorded()
    orphans = find_orphans(kept)
    known = [*found, *orphans]  # whoever removed a part names it, to drop its rows
    if unknown := [a for a in asked if not any(_is_asked(n, (a,)) for n in known)]:
        raise SystemExit(f"no part is called {', '.join(unknown)}")
    for name in orphans:
        del kept[name]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for name, (here, row) in zip(found, pool.map(_measure, found), strict=True):
            machines = [*machines, *([] if here in machines else [here])]
            kept[name] = row._replace(machine=machines.index(here))
    _write(machines, kept)
    return found


def _measure(name: str) -> tuple[dict[str, Any], Golden]:
    """Compute the rows of a case and their bound, in a process of one thread."""
    torch.set_num_threads(1)
    spec = cases()[name]
    center = values(spec)
    row = Golden(version(name), 0, center.tolist(), bound(spec, center).tolist())
    return json.loads(json.dumps(fingerprint("cpu"))), row


def _is_asked(name: str, asked: tuple[str, ...]) -> bool:
    """Say whether a row is of a part that is asked for; all are where none is.

    >>> _is_asked("shift/stretch", ("stretch",)), _is_asked("shift/stretch", ())
    (True, True)
    """
    return not asked or name in asked or name.split("/")[1] in asked


def _write(machines: list[dict[str, Any]], kept: dict[str, Golden]) -> None:
    """Write the file, without machines that no row is from any more."""
    used = sorted({row.machine for row in kept.values()})
    rows = {
        name: kept[name]._replace(machine=used.index(kept[name].machine))
        for name in sorted(kept)
    }
    lines = [f"{json.dumps(name)}: {json.dumps(row)}" for name, row in rows.items()]
    told = json.dumps([machines[number] for number in used])
    body = ",\n".join(lines)
    FILE.write_text(f'{{"machines": {told},\n"rows": {{\n{body}\n}}}}\n')


def parse_names(words: list[str]) -> list[str]:
    """Return the names of parts on the command line; `--help` explains it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.golden.rows",
        description="Record golden rows in tests/golden/rows.json.",
    )
    parser.add_argument(
        "part", nargs="*", help="name of a part, such as sgd; all parts if none"
    )
    names: list[str] = parser.parse_args(words).part
    return names


if __name__ == "__main__":
    asked_names = parse_names(sys.argv[1:])
    sys.stdout.write(f"recorded: {', '.join(record(asked_names)) or 'none'}\n")
