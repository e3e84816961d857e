"""Are estimates of time right? Estimated ranges against measured CPU seconds.

    python -m tests.benchmarks.time_estimates          # varied runs, 4 kinds of task
    python -m tests.benchmarks.time_estimates --write  # measure the shipped runs again

A varied run changes a preset's net, learners, family or budget so that it takes some
seconds. Each is estimated twice: from the shipped runs alone, as on a machine that has
run nothing, and from the shipped runs and all varied runs before it, as this machine's
own. `--write` measures every preset, cut to some seconds, and writes the shipped runs.
"""

import json
import math
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.experiment.cost_estimate import Duration, predict_duration
from app.experiment.speeds import Speeds, TimedStage
from app.experiment.timed_runs import SHIPPED, machine_of, shipped_runs, timed_stages
from engine.contract.kinds import kind_named
from engine.contract.run_spec import Budget, Choice, LearnerChoice, RunSpec, ShiftChoice
from engine.executors.in_process import settle_spec
from engine.presets import PRESETS
from engine.store.timing_sums import timings_as_rows
from tests.benchmarks.measured_runs import (
    MeasuredRun,
    cut_to_seconds,
    measure_run,
    warm_up,
    write_line,
)

RIGHT = 1.5  # factor


@dataclass(frozen=True)
class Varied:
    """A run that differs from every preset.

    Args:
        family: Its task family.
        learners: Names of the learners, the first one chosen.
        replicates: How many.
        budget: Fields of the budget that are not the default.
        knobs: Knobs by part, "net.width" or "maml.inner_steps"; "tuned" adds tuning.
        parts: Other slots of the spec by name.
    """

    family: str
    learners: tuple[str, ...]
    replicates: int = 2
    budget: dict[str, int] = field(default_factory=dict)
    knobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    shifts: tuple[str, ...] = ()

    @property
    def spec(self) -> RunSpec:
        """Return the spec of this run."""

        def choice(name: str) -> Choice:
            return Choice(name=name, knobs=self.knobs.get(name, {}))

        learners = tuple(
            LearnerChoice(
                name=name,
                label=name,
                role="baseline" if i else "chosen",
                knobs=self.knobs.get(name, {}),
            )
            for i, name in enumerate(self.learners)
        )
        return RunSpec(
            family=choice(self.family),
            learners=learners,
            shifts=tuple(ShiftChoice(name=name) for name in self.shifts),
            replicates=self.replicates,
            budget=Budget(**{"tuning_tasks": 4, "validation_tasks": 4, **self.budget}),
            **{slot: choice(name) for slot, name in self.parts.items()},
        )


def _budget(training: int, tests: int, horizon: int, **more: int) -> dict[str, int]:
    sizes = {"task_evaluations": training, "test_tasks": tests, "horizon": horizon}
    return sizes | more


TUNED = {"tuning": "tuned"}
VARIED = (
    # optimization
    Varied(
        "moons",
        ("lr_scale", "sgd", "adam"),
        2,
        _budget(200, 8, 30),
        {"adam": TUNED, "mlp": {"width": 128, "depth": 2}},
        {"net": "mlp"},
    ),
    Varied(
        "spirals",
        ("lr_scale", "momentum"),
        4,
        _budget(160, 8, 60),
        {"spirals": {"examples": 256}},
        shifts=("rotate",),
    ),
    Varied(
        "quadratic",
        ("lstm", "adam", "rmsprop"),
        2,
        _budget(160, 16, 50, tasks_per_step=8),
        {"adam": TUNED, "quadratic": {"dimensions": 20}},
        {"estimator": "unroll"},
    ),
    Varied(
        "wine",
        ("mlp_optimizer", "sgd"),
        2,
        _budget(160, 8, 50),
        {"sgd": TUNED, "es": {"pairs": 8, "unroll": 50}},
        {"estimator": "es"},
    ),
    Varied(
        "mixtures",
        ("lr_scale", "nesterov", "adagrad"),
        8,
        _budget(160, 8, 30),
        {"nesterov": TUNED},
        {"estimator": "ppo"},
    ),
    Varied("mnist", ("adam", "sgd"), 1, _budget(0, 8, 50), {"sgd": TUNED}),
    # few-shot
    Varied(
        "sinusoids",
        ("maml", "from_scratch"),
        2,
        _budget(1000, 20, 10, tasks_per_step=20),
        {"maml": {"inner_steps": 5}},
        shifts=("shots",),
    ),
    Varied(
        "gaussian_classes",
        ("r2d2", "matching", "raw_neighbor"),
        4,
        _budget(200, 50, 5),
        {"gaussian_classes": {"shots": 5}},
    ),
    Varied(
        "glyphs",
        ("protonet", "raw_neighbor"),
        1,
        _budget(16, 8, 3),
        {"conv4": {"filters": 32}, "glyphs": {"shots": 5}},
        {"net": "conv4"},
    ),
    Varied(
        "gaussian_process",
        ("neural_process", "maml"),
        2,
        _budget(320, 30, 5, tasks_per_step=16),
        {"neural_process": {"aggregation": "attention", "width": 128}},
    ),
    Varied(
        "function_mixture",
        ("reptile", "anil", "joint"),
        1,
        _budget(600, 30, 10, tasks_per_step=10),
    ),
    Varied(
        "sinusoids",
        ("snail", "fomaml"),
        1,
        _budget(160, 20, 5, tasks_per_step=16),
        {"sinusoids": {"shots": 20}},
    ),
    Varied(
        "gaussian_sequences",
        ("recurrent", "raw_neighbor"),
        1,
        _budget(64, 16, 5, tasks_per_step=16),
        {"recurrent": {"hidden": 64}},
    ),
    # reinforcement learning
    Varied(
        "bernoulli_bandit",
        ("rl2", "thompson", "gittins"),
        2,
        _budget(1000, 64, 20, tasks_per_step=200),
    ),
    Varied(
        "gridworld",
        ("rl2", "psrl", "oracle"),
        1,
        _budget(200, 16, 4, tasks_per_step=100),
        {"gridworld": {"size": 7}},
    ),
    Varied(
        "navigation",
        ("maml_rl", "random_actions"),
        1,
        _budget(10, 4, 10, tasks_per_step=5, tuning_tasks=1),
        {"navigation": {"steps": 50}},
    ),
    Varied(
        "cartpole",
        ("policy_from_scratch", "random_actions"),
        1,
        _budget(0, 4, 8, tuning_tasks=1),
        {"policy_from_scratch": {"updates": 20}, "cartpole": {"steps": 50}},
    ),
    Varied(
        "drifting_bandit",
        ("thompson", "ucb1", "epsilon_greedy"),
        8,
        _budget(0, 64, 50),
    ),
    # search
    Varied(
        "mosaic",
        ("warm_evolution", "regularized_evolution", "random_search"),
        8,
        _budget(8, 8, 60),
        shifts=("evaluation_noise",),
    ),
    Varied("nk_landscape", ("tpe", "hyperband", "local_search"), 4, _budget(0, 10, 60)),
    Varied(
        "nasbench201",
        ("reinforce", "actor_critic", "random_search"),
        4,
        _budget(0, 10, 100),
    ),
    Varied(
        "live_nets",
        ("regularized_evolution", "random_search"),
        1,
        _budget(0, 2, 8),
        {"live_nets": {"steps": "18"}},
    ),
    Varied(
        "mosaic",
        ("prior_search", "predictor_search"),
        2,
        _budget(8, 8, 60),
    ),
)


def write_shipped_runs() -> None:
    """Measure every preset, cut short, and write the runs that estimates start from."""
    warm_up()
    rows = []
    for preset in PRESETS:
        cut = cut_to_seconds(preset.spec)
        run = measure_run(cut)
        write_line(f"{preset.name:36s} {run.seconds:7.2f} s {run.error}")
        if not run.error:
            rows.append(_as_row(run, cut))
    SHIPPED.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n")


def _as_row(run: MeasuredRun, cut: RunSpec) -> dict[str, Any]:
    """Return a run as JSON; seconds to the millisecond, which is all that is used."""
    timings = [
        [learner, stage, round(float(str(seconds)), 3)]
        for learner, stage, seconds, *_ in timings_as_rows(run.timings)
    ]
    spec = cut.model_dump(mode="json", exclude_defaults=True)
    return {"spec": spec, "seconds": round(run.seconds, 3), "timings": timings}


def check_estimates() -> None:
    """Measure the varied runs; print how far their estimates are off."""
    warm_up()
    before: list[TimedStage] = [*shipped_runs()]
    errors: dict[str, list[float]] = {"shipped runs": [], "and own runs": []}
    inside = dict.fromkeys(errors, 0)
    for varied in VARIED:
        spec = settle_spec(varied.spec)
        kind = kind_named(spec.kind)
        sources = (Speeds(shipped_runs()), Speeds(before))
        ranges = [predict_duration(each, spec, kind) for each in sources]
        run = measure_run(spec)
        machine = machine_of(spec)
        before += timed_stages(run.spec, run.timings, run.seconds, machine, str(varied))
        write_line(" ".join(_describe(varied, run, ranges)))
        for name, found in zip(errors, ranges, strict=True):
            errors[name].append(abs(math.log(found.middle / run.seconds)))
            inside[name] += found.low <= run.seconds <= found.high
    for name, off in errors.items():
        right = sum(each <= math.log(RIGHT) for each in off)
        write_line(
            f"{name}: {right} of {len(off)} within a factor {RIGHT}, {inside[name]} "
            f"inside their range; median factor {math.exp(statistics.median(off)):.2f}"
        )


def _describe(
    varied: Varied, run: MeasuredRun, ranges: list[Duration]
) -> Iterator[str]:
    yield f"{varied.family:18s} {varied.learners[0]:22s} {run.seconds:6.2f} s"
    for each in ranges:
        ratio = each.middle / run.seconds
        yield f"| {each.low:6.2f} to {each.high:6.2f}, ratio {ratio:5.2f}"
    yield run.error


if __name__ == "__main__":
    write_shipped_runs() if "--write" in sys.argv else check_estimates()
