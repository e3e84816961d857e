"""Where a shift fits, in words; and how inputs, labels and base learners change."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.contract.cards import card_of, complete
from engine.contract.rng import Rng
from engine.protocol import Net, Sample, SampledFamily, Setting

Change = Callable[[np.ndarray], np.ndarray]


def no_inputs(setting: Setting) -> str:
    """Say so where tasks are bare functions, whose inputs cannot be changed."""
    if isinstance(setting.family, SampledFamily):
        return ""
    return f"{setting.family.name} is a bare function: it has no inputs to change"


def no_labels(setting: Setting) -> str:
    """Say so where there are no classes that could be changed."""
    if setting.family.answers() == "classes":
        return no_inputs(setting)
    return f"{setting.family.name} has no classes: there are no labels to change"


def no_net(setting: Setting, field: str) -> str:
    """Say so where there is no base learner, or it has no such knob."""
    if not setting.family.uses_net:
        return f"{setting.family.name} is a bare function: it has no base learner"
    if field not in type(setting.net).model_fields:
        return f"the base learner {setting.net.name} has no {field.replace('_', ' ')}"
    return ""


def too_few_inputs(setting: Setting, least: int) -> str:
    """Say so where tasks have fewer inputs than a shift needs."""
    if not isinstance(setting.family, SampledFamily):
        return no_inputs(setting)
    count = setting.family.sample(Rng(0), "train").x.shape[0]
    if count >= least:
        return ""
    return f"{setting.family.name} has {count} input; this needs at least {least}"


def changed_net(setting: Setting, **knobs: object) -> Setting:
    """Return the setting with another base learner of the same kind.

    Raises:
        Refused: If a knob leaves its range.
    """
    kind: type[Net] = type(setting.net)
    filled = complete(card_of(kind), setting.net.model_dump() | knobs)
    return replace(setting, net=kind(**filled))


def on_inputs(sample: Sample, change: Change) -> Sample:
    """Change training and held-out inputs alike, now and after a drift."""
    later = sample.later and on_inputs(sample.later, change)
    x, held_x = change(sample.x), change(sample.held_x)
    return replace(sample, x=x, held_x=held_x, later=later)


def on_both(sample: Sample, train: Change, held: Change) -> Sample:
    """Change training and held-out inputs, each in its own way."""
    later = sample.later and on_both(sample.later, train, held)
    return replace(sample, x=train(sample.x), held_x=held(sample.held_x), later=later)


def deviation(sample: Sample) -> np.ndarray:
    """Return the standard deviation of each training input; shape (feature, 1)."""
    return np.asarray(sample.x.std(axis=1, keepdims=True))


def direction(draw: np.random.Generator, size: int) -> np.ndarray:
    """Draw a random direction; float32, shape (feature,)."""
    arrow = draw.standard_normal(size)
    return np.asarray((arrow / np.linalg.norm(arrow)).astype(np.float32))
