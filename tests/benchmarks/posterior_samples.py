"""How well sampled functions cover the truth: PLATIPUS beside an ensemble of MAML.

`python -m tests.benchmarks.posterior_samples --meta-steps 700` trains both and MAML on
ambiguous functions and prints, by number of shots: the share of the true function that
lies between the lowest and the highest of ten samples, their standard deviation, how
many noisy targets lie in the central 90 % interval (ideal: 0.9), the expected
calibration error of central intervals, and the negative log-likelihood of the targets.
"""

import argparse
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from rich.console import Console

from engine.catalogue import find_card
from engine.contract.events import Artefact
from engine.contract.rng import Rng
from engine.contract.run_spec import RunSpec, complete_spec
from engine.protocol import BatchSpec, Density, EpisodeBatch, Setting
from engine.protocol.member_chunks import broadcast_to_members
from engine.runner.context import RunContext
from engine.runner.loop import run
from engine.stats.summaries.calibration import interval_calibration
from engine.stats.task_metrics.beliefs import QUANTILE_BINS
from engine.tasks.few_shot.ambiguous_functions import AmbiguousFunctions
from tests.in_memory_run_cache import InMemoryRunCache

LEARNERS = {
    "platipus": {"inner_steps": 2},
    "bayesian_maml": {"inner_steps": 2},
    "maml_ensemble": {"inner_steps": 2},
    # One particle is MAML, with one noise for all inputs.
    "maml": {"inner_steps": 2, "particles": 1},
}
TASKS = 200


def train(name: str, meta_steps: int) -> tuple[RunContext, dict[str, torch.Tensor]]:
    """Return the run of one learner, and its frozen meta-weights."""
    part = "maml_ensemble" if name == "maml" else name
    body = {
        "family": {"name": "ambiguous_functions"},
        "net": {"name": "mlp", "knobs": {"depth": 2, "width": 40}},
        "learners": [{"name": part, "label": name, "knobs": LEARNERS[name]}],
        "budget": {
            "task_evaluations": 10 * meta_steps,
            "tasks_per_step": 10,
            "validate_every": max(1, meta_steps // 5),
            "validation_tasks": 50,
            "test_tasks": 1,
            "horizon": 2,
        },
        "replicates": 1,
    }
    spec = complete_spec(RunSpec.model_validate(body), find_card, "cpu")
    arrays = next(
        event.arrays
        for event in run(spec, InMemoryRunCache(), None)
        if isinstance(event, Artefact) and event.kind == "frozen"
    )
    weights = {key: torch.from_numpy(np.array(value)) for key, value in arrays.items()}
    return RunContext(spec), weights


class Measured(NamedTuple):
    """What a learner's samples and its density are worth; means over tasks.

    Args:
        truth: Share of the true function between the extreme samples.
        deviation: Standard deviation of the samples.
        interval: Share of noisy targets in the central 90 % interval.
        calibration: Expected calibration error of central intervals.
        nll: Negative log-likelihood of a noisy target, in nats.
    """

    truth: float
    deviation: float
    interval: float
    calibration: float
    nll: float


def measure(
    context: RunContext, weights: dict[str, torch.Tensor], shots: int
) -> Measured:
    """Return what the learner predicts from so many points, on fresh tasks."""
    setting = Setting(AmbiguousFunctions(shots=shots), context.setting.net, 2)
    rngs = [Rng(1).child("test", task) for task in range(TASKS)]
    tasks = setting.family.draw(setting, rngs, "test", BatchSpec())
    assert isinstance(tasks, EpisodeBatch) and tasks.truth is not None
    shown, targets = density(context, weights, tasks), tasks.query.y
    below = shown.below(targets)
    truth = replace(
        tasks, query=replace(tasks.query, x=tasks.truth[:, :1], y=tasks.truth[:, 1])
    )
    means, y = density(context, weights, truth).mean, tasks.truth[:, 1]
    covers = (means.amin(1) <= y) & (y <= means.amax(1))
    return Measured(
        covers.float().mean().item(),
        means.std(1, correction=0).mean().item(),
        ((below > 0.05) & (below < 0.95)).float().mean().item(),
        calibration_error(below),
        -shown.log_density(targets).mean().item(),
    )


def calibration_error(below: torch.Tensor) -> float:
    """Return the expected calibration error of targets at these quantiles."""
    count = torch.histc(below, QUANTILE_BINS, 0.0, 1.0)
    shares = (count / count.sum()).unsqueeze(0).double()
    return float(interval_calibration(shares.numpy()).expected_error()[0])


def density(
    context: RunContext, weights: dict[str, torch.Tensor], tasks: EpisodeBatch
) -> Density:
    """Return the density after the last inner step."""
    learner = context.entries[0].learner
    theta = broadcast_to_members(weights, tasks.members)
    *_, last = learner.predict(theta, tasks)  # type: ignore[attr-defined]
    assert last.density is not None
    return last.density


def main() -> None:
    """Train, measure and print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--meta-steps", type=int, default=2000)
    asked.add_argument("--learners", nargs="*", default=list(LEARNERS))
    given = asked.parse_args()
    torch.set_num_threads(1)
    console = Console()
    for name in given.learners:
        context, weights = train(name, given.meta_steps)
        for shots in (5, 10, 20):
            found = measure(context, weights, shots)
            console.print(
                f"{name:14} K = {shots:2}: truth covered {found.truth:.3f}, "
                f"deviation {found.deviation:.3f}, "
                f"90 % interval {found.interval:.3f}, "
                f"calibration error {found.calibration:.3f}, "
                f"NLL {found.nll:.3f}",
                highlight=False,
                soft_wrap=True,
            )


if __name__ == "__main__":
    main()
