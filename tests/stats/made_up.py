"""Runs that nobody ran: traces with a known truth, as blocks."""

import numpy as np
from numpy.typing import NDArray

from engine.contract.events import Block, Condition
from engine.contract.run_spec import Budget, Choice, LearnerChoice, RunSpec
from engine.stats.task_metrics.few_shot import summarize_episodes
from engine.stats.task_metrics.optimization import cut_at_divergence, summarize_tasks

HERE = Condition()
Array = NDArray[np.float64]


def baseline(label: str, name: str = "sgd", **knobs: object) -> LearnerChoice:
    return LearnerChoice(name=name, label=label, role="baseline", knobs=knobs)


def chosen(label: str = "lr_scale", **knobs: object) -> LearnerChoice:
    settings = {"lr": 0.3, "span": 5.0} | knobs
    return LearnerChoice(name="lr_scale", label=label, role="chosen", knobs=settings)


TUNED = baseline("sgd_tuned", tuning="tuned")
ADAM = baseline("adam_tuned", "adam", tuning="tuned")


def spec(*learners: LearnerChoice, **changes: object) -> RunSpec:
    settings: dict[str, object] = {
        "family": Choice(name="mixtures"),
        "learners": learners or (chosen(), TUNED),
        "estimator": Choice(name="pes", knobs={"unroll": 25}),
        "budget": Budget(horizon=50),
    }
    return RunSpec(**(settings | changes))


def falling(
    rate: float = 0.1, replicates: int = 8, tasks: int = 8, horizon: int = 50
) -> Array:
    """Return loss traces e^(−rate·t) × a factor that differs by task."""
    factor = np.exp(np.linspace(-0.5, 0.5, replicates * tasks))
    steps = np.arange(horizon + 1)
    return factor.reshape(replicates, tasks, 1) * np.exp(-rate * steps)


def trial(
    label: str, loss: Array, condition: Condition = HERE, threshold: float = 0.3
) -> list[Block]:
    """Return what a test of these traces leaves behind."""
    traces, _ = cut_at_divergence({"loss": loss})
    blocks = [
        Block(label, "test", "loss", ("replicate", "task", "step"), t, condition)
        for t in traces.values()
    ]
    rows = summarize_tasks(traces, threshold)
    return blocks + [
        Block(label, "test", name, ("replicate", "task"), row, condition)
        for name, row in rows.items()
    ]


def number(label: str, phase: str, metric: str, value: float) -> Block:
    return Block(label, phase, metric, (), np.array(value))


def threshold(value: float = 0.3) -> Block:
    return number("", "validate", "threshold", value)


def tuning_scores(label: str, *means: float, metric: str = "tuning") -> Block:
    """Return the tuning scores of a baseline, one rate after the other."""
    scores = np.tile(np.array(means)[:, None], (1, 4))
    rates = tuple(10.0**i for i in range(len(means)))
    return Block(
        label, "tune", metric, ("rate", "task"), scores, coords={"rate": rates}
    )


def along(label: str, phase: str, metric: str, values: Array, every: int = 1) -> Block:
    """Return a (replicate, step) block of meta-training."""
    array = np.atleast_2d(values)
    at = tuple(float(every * i) for i in range(array.shape[1]))
    return Block(
        label, phase, metric, ("replicate", "step"), array, coords={"step": at}
    )


def scales(label: str, values: Array, replicates: int = 8, tasks: int = 8) -> Block:
    """Return the same learning-rate scales for every task."""
    array = np.broadcast_to(values, (replicates, tasks, len(values)))
    return Block(label, "test", "lr_scale", ("replicate", "task", "step"), array)


def few_shot(
    label: str, errors: Array, condition: Condition = HERE, *, classes: bool = True
) -> list[Block]:
    """Return what a test of few-shot answers with these errors leaves behind."""
    name = "query_accuracy" if classes else "query_mse"
    values = 1.0 - errors if classes else errors
    rows = summarize_episodes({name: values[..., None]}, 0)
    return [
        Block(label, "test", metric, ("replicate", "task"), row, condition)
        for metric, row in rows.items()
    ]


def steps(label: str, metric: str, values: Array, *at: float) -> Block:
    """Return a trace along inner steps; values (replicate, task, step)."""
    axes = ("replicate", "task", "step")
    return Block(label, "test", metric, axes, values, coords={"step": at} if at else {})


def few_spec(*learners: LearnerChoice, **changes: object) -> RunSpec:
    settings: dict[str, object] = {
        "family": Choice(name="glyphs", knobs={"ways": 5, "shots": 1}),
        "learners": learners or (PROTO, FINE_TUNED),
        "budget": Budget(horizon=5, test_tasks=600),
    }
    return RunSpec(**(settings | changes))


def few(label: str, role: str = "chosen", **knobs: object) -> LearnerChoice:
    return LearnerChoice(name=label, label=label, role=role, knobs=knobs)


PROTO = few("protonet")
FINE_TUNED = few("fine_tune", "baseline", tuning="tuned")
TITLES = {
    "protonet": "Prototypical networks",
    "maml": "MAML",
    "fine_tune": "Pretrain and fine-tune",
    "from_scratch": "From scratch",
}
