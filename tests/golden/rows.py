"""Golden rows: one tiny run per part, filed by the part's version.

`python -m tests.golden.rows` records them anew; do so only together with a new
`version` of the part whose rows changed.
"""

import json
import platform
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.contract.registry import part
from engine.contract.runs import RunSpec
from tests.laws.small import (
    TINY,
    families,
    family_spec,
    knobbed,
    learner_spec,
    names,
    rows,
)
from tests.laws.test_shifts import CASES, fitting, small

FILE = Path(__file__).with_name("rows.json")


def fingerprint() -> str:
    """Return what float rounding may depend on."""
    chip = torch.backends.cpu.get_cpu_capability()
    return f"torch {torch.__version__} {platform.machine()} {chip}"


def cases() -> dict[str, RunSpec]:
    """Return a tiny run for each part whose rows must not drift."""
    found = {f"learner/{n}": learner_spec(n) for n in names("learner")}
    for kind in TINY:
        found |= {f"family/{n}": drawn_small(n) for n in families(kind)}
    for name in names("estimator"):
        spec = learner_spec("lr_scale", estimator={"name": name})
        found[f"estimator/{name}"] = spec
    for name, kind in CASES:
        of = "" if kind == "optimization" else f"/{kind}"
        with suppress(pytest.skip.Exception):
            found[f"shift/{name}{of}"] = shift_spec(name, kind)
    return {name: found[name] for name in sorted(found)}


def drawn_small(name: str) -> RunSpec:
    """Return a tiny run on a family, on small images where it has any."""
    sides = "side" in part("family", name).model_fields
    return knobbed(name, {"side": "14"}) if sides else family_spec(name)


def shift_spec(name: str, kind: str) -> RunSpec:
    """Return a tiny run under a shift at its strongest."""
    top = max(part("shift", name).severities)  # type: ignore[attr-defined]
    shifts = [{"name": name, "severities": [top]}]
    fits = fitting(name, kind).family
    return small(fits.name, kind, fits.knobs, shifts=shifts)


def area(spec: RunSpec) -> list[float]:
    """Return what every test task is judged by, condition by condition."""
    numbers = rows(spec)
    judged = (("area",), ("error",), ("regret_area",))
    found = [array.ravel() for key, array in numbers.items() if key[2:3] in judged]  # type: ignore[index]
    return np.concatenate(found).tolist()  # type: ignore[no-any-return]


def version(name: str) -> int:
    """Return the version that a part states."""
    slot, of, *_ = name.split("/")
    return part(slot, of).version


def record() -> None:
    """Write the file."""
    body = {n: {"version": version(n), "area": area(s)} for n, s in cases().items()}
    text = json.dumps({"fingerprint": fingerprint(), "rows": body}, indent=0)
    FILE.write_text(text + "\n")


if __name__ == "__main__":
    torch.set_num_threads(1)
    record()
