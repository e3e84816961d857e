"""The words that presets are written in."""

from typing import Any, NamedTuple

from engine.contract.runs import (
    Choice,
    LearnerChoice,
    RunSpec,
    ShiftChoice,
)

# No clip: the papers' meta-gradients are taken as they come.
PLAIN_ADAM = Choice(name="adam", knobs={"lr": 0.001, "clip": 0.0})


class Preset(NamedTuple):
    """An experiment with a name; `summary` says in one line what it shows."""

    name: str
    title: str
    summary: str
    spec: RunSpec

    def as_json(self) -> dict[str, Any]:
        """Return it as data, its spec without what is default."""
        return self._asdict() | {"spec": spec_as_json(self.spec)}


def experiment(name: str, title: str, summary: str, **fields: Any) -> Preset:
    """Return an experiment by the fields of its spec that are not the default."""
    return Preset(name, title, summary, RunSpec(**fields))


def spec_as_json(spec: RunSpec) -> dict[str, Any]:
    """Return a spec as JSON that says only what differs from the defaults."""
    return spec.model_dump(mode="json", exclude_defaults=True)


def candidate(name: str, label: str = "", **knobs: Any) -> LearnerChoice:
    """Name a learner that is on trial."""
    return LearnerChoice(name=name, label=label or name, knobs=knobs)


def baseline(name: str, label: str = "", **knobs: Any) -> LearnerChoice:
    """Name a learner that it is compared with."""
    return LearnerChoice(name=name, label=label or name, role="baseline", knobs=knobs)


def baselines(*names: str) -> tuple[LearnerChoice, ...]:
    """Name learners that it is compared with, as they come."""
    return tuple(map(baseline, names))


def tuned_baseline(name: str, tuning: str = "tuned") -> LearnerChoice:
    """Name a baseline whose rate is chosen on meta-training tasks."""
    return baseline(name, f"{name}_tuned", tuning=tuning)


def shift(name: str, *severities: float, **knobs: Any) -> ShiftChoice:
    """Name a shift and how strong it is, in its own unit."""
    return ShiftChoice(name=name, severities=severities, knobs=knobs)
