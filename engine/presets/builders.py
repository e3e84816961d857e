"""Builders of presets: experiments, their learners, baselines and shifts."""

from typing import Any, NamedTuple

from engine.contract.effort import Effort, with_effort
from engine.contract.kinds import Kind
from engine.contract.run_spec import (
    Choice,
    LearnerChoice,
    RunSpec,
    ShiftChoice,
)

# No clipping: the papers do not clip meta-gradients.
PLAIN_ADAM = Choice(name="adam", knobs={"lr": 0.001, "clip": 0.0})


class Preset(NamedTuple):
    """A named experiment; `summary` says in one line what it shows."""

    name: str
    title: str
    summary: str
    spec: RunSpec

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON; its spec without defaults."""
        return self._asdict() | {"spec": spec_as_json(self.spec)}


def experiment(
    name: str,
    title: str,
    summary: str,
    until_decided: Kind | None = None,
    **fields: Any,
) -> Preset:
    """Return an experiment.

    Args:
        name: Name in commands and links.
        title: What the first page calls it.
        summary: One line: what it shows.
        until_decided: Its kind of task, where it runs in the batches of that kind until
            it is decided; None for a fixed number of replicates.
        **fields: Fields of its `RunSpec` that differ from the default.
    """
    spec = RunSpec(**fields)
    if until_decided is not None:
        spec = with_effort(spec, until_decided, Effort.UNTIL_DECIDED, None)
    return Preset(name, title, summary, spec)


def spec_as_json(spec: RunSpec) -> dict[str, Any]:
    """Return the fields of a spec that differ from the defaults, as JSON."""
    return spec.model_dump(mode="json", exclude_defaults=True)


def candidate(name: str, label: str = "", **knobs: Any) -> LearnerChoice:
    """Return a learner to be evaluated.

    Args:
        name: Registered name.
        label: Name within the run, where a learner occurs twice.
        **knobs: Knobs that differ from the default.
    """
    return LearnerChoice(name=name, label=label or name, knobs=knobs)


def baseline(name: str, label: str = "", **knobs: Any) -> LearnerChoice:
    """Return a learner to compare with; arguments as for `candidate`."""
    return LearnerChoice(name=name, label=label or name, role="baseline", knobs=knobs)


def baselines(*names: str) -> tuple[LearnerChoice, ...]:
    """Return learners to compare with, at their default knobs."""
    return tuple(map(baseline, names))


def tuned_baseline(name: str, tuning: str = "tuned") -> LearnerChoice:
    """Return a baseline whose learning rate is tuned on meta-training tasks.

    Args:
        name: Registered name.
        tuning: "tuned", or "equal_budget" for as many task evaluations as the
            candidates have.
    """
    return baseline(name, f"{name}_tuned", tuning=tuning)


def shift(name: str, *severities: float, **knobs: Any) -> ShiftChoice:
    """Return a shift.

    Args:
        name: Registered name.
        *severities: In the shift's own unit.
        **knobs: Knobs that differ from the default.
    """
    return ShiftChoice(name=name, severities=severities, knobs=knobs)
