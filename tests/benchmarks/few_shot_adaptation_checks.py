"""CAVIA, Meta-LSTM, MT-Net and clustered MAML against the figures asked of them.

Tasks, outer rule and bands as in `few_shot_checks`; one replicate.

    python -m tests.benchmarks.few_shot_adaptation_checks NAME [--steps N] [--seed 7]

NAME is one of context, steps (five inner steps) and mixture.
"""

import argparse
from collections.abc import Callable, Iterator
from typing import Any

import torch
from rich.console import Console

from tests.benchmarks.few_shot_checks import (
    ADAM,
    MAML,
    MLP,
    Errors,
    Line,
    at_most,
    played,
    sinusoids,
    within,
)


def learner(name: str, label: str = "", **knobs: Any) -> dict[str, Any]:
    """Return a learner's choice in a spec."""
    return {"name": name, "label": label or name, "knobs": knobs}


def trained(
    family: str, learners: list[dict[str, Any]], steps: int, seed: int
) -> Errors:
    """Train learners with few validations; return their test errors by inner step."""
    budget = {
        "task_evaluations": 25 * steps,
        "tasks_per_step": 25,
        "validation_tasks": 100,
        "validate_every": max(1, steps // 10),
        "test_tasks": 1000,
        "horizon": 10,
    }
    body = {"family": {"name": family}, "net": MLP, "outer": ADAM, "budget": budget}
    body |= {"replicates": 1, "seed": seed}
    found: Errors = {}
    for each in learners:
        found |= played(body | {"learners": [each]})
    return found


def context(steps: int, seed: int) -> Iterator[Line]:
    """CAVIA on sinusoids with one, two and five context parameters."""
    counts = (1, 2, 5)
    choices = [learner("cavia", f"cavia {n}", parameters=n) for n in counts]
    error = sinusoids(choices, steps, seed)
    one, two, five = (float(error[f"cavia {n}"][1]) for n in counts)
    yield within("2 parameters, 1 step", two, 0.17, 0.26)
    yield within("5 parameters, 1 step", five, 0.17, 0.26)
    yield Line("1 parameter, 1 step", one, "≥ 0.5", one >= 0.5)
    yield within("2 over 5 parameters", two / five, 0.8, 1.25)


def inner_steps(steps: int, seed: int) -> Iterator[Line]:
    """Meta-LSTM beside MAML trained with one and with five steps, after five."""
    choices = [learner("meta_lstm"), MAML, learner("maml", "maml 5", inner_steps=5)]
    error = trained("sinusoids", choices, steps, seed)
    found = float(error["meta_lstm"][5])
    yield at_most("Meta-LSTM, against MAML of one step", found, error["maml"][5])
    yield at_most("Meta-LSTM, against MAML of five", found, error["maml 5"][5])
    yield at_most("Meta-LSTM, against MAML after one step", found, error["maml"][1])


def mixture(steps: int, seed: int) -> Iterator[Line]:
    """Clustered MAML and MT-Net beside MAML on mixed functions."""
    temperatures = (0.1, 0.3, 1.0)
    starts = [
        learner("clustered_maml", f"starts {value:g}", temperature=value)
        for value in temperatures
    ]
    error = trained("function_mixture", [MAML, learner("mt_net"), *starts], steps, seed)
    for name in ("mt_net", *(f"starts {value:g}" for value in temperatures)):
        for step in (1, 5):
            limit = float(error["maml"][step])
            yield at_most(f"{name}, {step} steps", float(error[name][step]), limit)


CHECKS: dict[str, tuple[Callable[[int, int], Iterator[Line]], int]] = {
    "context": (context, 20_000),
    "steps": (inner_steps, 10_000),
    "mixture": (mixture, 2_000),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=CHECKS)
    parser.add_argument("--steps", type=int, help="meta-steps; as asked by default")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    torch.set_num_threads(1)
    check, usual = CHECKS[given.name]
    for line in check(given.steps or usual, given.seed):
        said = "" if not line.asked else "kept" if line.kept else "MISSED"
        Console().print(f"{line.what}: {line.found:.3f} {line.asked} {said}")


if __name__ == "__main__":
    main()
