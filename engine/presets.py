"""The shipped experiments: specs that are worth running as they are.

They say only what differs from the parts' defaults, so that they read as what a
person would have chosen.
"""

from typing import Any, NamedTuple

from engine.contract.errors import Refused
from engine.contract.runs import (
    Budget,
    Choice,
    LearnerChoice,
    RunSpec,
    ShiftChoice,
)


class Preset(NamedTuple):
    """An experiment with a name; `summary` says in one line what it shows."""

    name: str
    title: str
    summary: str
    spec: RunSpec

    def as_json(self) -> dict[str, Any]:
        """Return it as data, its spec without what is default."""
        return self._asdict() | {"spec": spoken(self.spec)}


def preset(name: str) -> Preset:
    """Return the shipped experiment of that name.

    Raises:
        Refused: If there is none; the message lists what there is.
    """
    for found in PRESETS:
        if found.name == name:
            return found
    have = ", ".join(found.name for found in PRESETS)
    raise Refused(f"no preset is called {name[:40]!r}; there are: {have}", "preset")


def spoken(spec: RunSpec) -> dict[str, Any]:
    """Return a spec as JSON that says only what differs from the defaults."""
    return spec.model_dump(mode="json", exclude_defaults=True)


def chosen(name: str, label: str = "", **knobs: Any) -> LearnerChoice:
    """Name a learner that is on trial."""
    return LearnerChoice(name=name, label=label or name, knobs=knobs)


def baseline(name: str, label: str = "", **knobs: Any) -> LearnerChoice:
    """Name a learner that it is compared with."""
    return LearnerChoice(name=name, label=label or name, role="baseline", knobs=knobs)


def tuned(name: str) -> LearnerChoice:
    """Name a baseline whose rate is chosen on meta-training tasks."""
    return baseline(name, f"{name}_tuned", tuning="tuned")


def shift(name: str, *severities: float, **knobs: Any) -> ShiftChoice:
    """Name a shift and how strong it is, in its own unit."""
    return ShiftChoice(name=name, severities=severities, knobs=knobs)


_USUAL = (chosen("lr_scale"), baseline("sgd"), tuned("sgd"), tuned("adam"))
_STRETCH = shift("stretch", 1.25, 1.5, 2.0, 3.0, 4.0)

DEFAULT = Preset(
    "default",
    "A learned learning rate against tuned SGD",
    "Meta-trains the LR scale by PES on Gaussian mixtures, then stretches the inputs.",
    RunSpec(family=Choice(name="mixtures"), learners=_USUAL, shifts=(_STRETCH,)),
)

SMOKE = Preset(
    "smoke",
    "A few seconds, to see that everything works",
    "Every stage of the default experiment, far too small for a verdict.",
    RunSpec(
        family=Choice(name="mixtures"),
        learners=(chosen("lr_scale"), baseline("sgd"), tuned("sgd")),
        shifts=(shift("stretch", 2.0),),
        budget=Budget(
            task_evaluations=128,
            tasks_per_step=2,
            validation_tasks=4,
            validate_every=4,
            test_tasks=4,
            horizon=20,
            tuning_tasks=96,
        ),
        replicates=2,
    ),
)

LONG = Preset(
    "long",
    "The default experiment, ten times longer",
    "Ten times the meta-training and 64 test tasks: does the verdict hold?",
    DEFAULT.spec.model_copy(
        update={"budget": Budget(task_evaluations=20_800, test_tasks=64)}
    ),
)

PRESETS = (DEFAULT, SMOKE, LONG)
