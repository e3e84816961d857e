"""Why a shift cannot be applied; and how inputs, labels and base learners change."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.contract.appearance import name_in_words
from engine.contract.cards import card_of, complete_knobs
from engine.contract.rng import Rng
from engine.protocol import Episode, Net, Sample, SampledFamily, Setting

IMAGE = 3  # axes of an image: channel, height, width

InputChange = Callable[[np.ndarray], np.ndarray]


def why_no_inputs(setting: Setting) -> str | None:
    """Return the reason why inputs cannot be changed: tasks are bare functions."""
    if isinstance(setting.family, SampledFamily):
        return None
    return f"{setting.family.name} is a bare function: it has no inputs to change"


def why_no_labels(setting: Setting) -> str | None:
    """Return the reason why labels cannot be changed: there are no classes."""
    if setting.family.answer_kind() == "classes":
        return why_no_inputs(setting)
    return f"{setting.family.name} has no classes: there are no labels to change"


def why_no_values(setting: Setting) -> str | None:
    """Return the reason why answers cannot be off by a little: they are classes."""
    if setting.family.answer_kind() == "value":
        return why_no_inputs(setting)
    return f"{setting.family.name} asks for classes: label_noise is for these"


def why_no_rows(setting: Setting, instead: str) -> str | None:
    """Return the reason why inputs are not changed: pixels have shifts of their own."""
    if reason := why_no_inputs(setting):
        return reason
    if not image_shape(setting):
        return None
    return f"{setting.family.name} has pixels, no measured inputs; {instead}"


def why_no_image(setting: Setting) -> str | None:
    """Return the reason why there is no image: inputs are plain numbers."""
    if image_shape(setting):
        return None
    return f"{setting.family.name} has no images: its inputs are plain numbers"


def why_no_knobs(setting: Setting, names: tuple[str, ...], what: str) -> str | None:
    """Return the reason why knobs cannot be turned: the family lacks one of them."""
    if all(name in type(setting.family).model_fields for name in names):
        return None
    return f"{setting.family.name} has no {what} to change"


def image_shape(setting: Setting) -> tuple[int, ...]:
    """Return channels, height and width where inputs are images, else nothing."""
    if not isinstance(setting.family, SampledFamily):
        return ()
    sample = setting.family.sample(Rng(0), "test")
    shape = sample.shape if isinstance(sample, Episode) else ()
    return shape if len(shape) == IMAGE else ()


def why_no_net(setting: Setting, field: str) -> str | None:
    """Return the reason why the base learner cannot be changed; None if it can."""
    if not setting.family.uses_net:
        return f"{setting.family.name} is a bare function: it has no base learner"
    if field not in type(setting.net).model_fields:
        return f"the base learner {setting.net.name} has no {name_in_words(field)}"
    return None


def why_too_few_inputs(setting: Setting, least: int) -> str | None:
    """Return the reason why inputs are too few for a shift; None if they are enough."""
    if not isinstance(setting.family, SampledFamily):
        return why_no_inputs(setting)
    count = setting.family.sample(Rng(0), "test").x.shape[0]
    if count >= least:
        return None
    return f"{setting.family.name} has {count} input; this needs at least {least}"


def change_net(setting: Setting, **knobs: object) -> Setting:
    """Return the setting with another base learner of the same kind.

    Raises:
        Refused: If a knob leaves its range.
    """
    kind: type[Net] = type(setting.net)
    filled = complete_knobs(card_of(kind), setting.net.model_dump() | knobs)
    return replace(setting, net=kind(**filled))


def change_family(setting: Setting, **knobs: object) -> Setting:
    """Return the setting with other knobs of its family, checked by who applies it."""
    return replace(setting, family=setting.family.model_copy(update=knobs))


def change_inputs(sample: Sample, change: InputChange) -> Sample:
    """Change training and held-out inputs alike, now and after a drift.

    Where an episode has a picture, its inputs go along.
    """
    later = sample.later and change_inputs(sample.later, change)
    x, held_x = change(sample.x), change(sample.held_x)
    changed = replace(sample, x=x, held_x=held_x, later=later)
    if not isinstance(changed, Episode) or changed.truth is None:
        return changed
    truth = np.concatenate([change(changed.truth[:1]), changed.truth[1:]])
    return replace(changed, truth=truth)


def change_train_and_held(
    sample: Sample, train: InputChange, held: InputChange
) -> Sample:
    """Change training and held-out inputs, each in its own way."""
    later = sample.later and change_train_and_held(sample.later, train, held)
    return replace(sample, x=train(sample.x), held_x=held(sample.held_x), later=later)


def relabel(sample: Sample, y: np.ndarray) -> Sample:
    """Return the sample with other training labels; an episode's ids follow them."""
    if not isinstance(sample, Episode) or sample.held_ids is None:
        return replace(sample, y=y)
    ids = np.empty(sample.outputs, sample.held_ids.dtype)
    ids[sample.held_y] = sample.held_ids
    return replace(sample, y=y, ids=ids[y])


def input_deviation(sample: Sample) -> np.ndarray:
    """Return the standard deviation of each training input; shape (feature, 1).

    Pixels have one in common: many are the same in all of a few images.
    """
    if isinstance(sample, Episode) and len(sample.shape) == IMAGE:
        return np.full((len(sample.x), 1), sample.x.std())
    return np.asarray(sample.x.std(axis=1, keepdims=True))


def random_direction(draw: np.random.Generator, size: int) -> np.ndarray:
    """Draw a random direction; float32, shape (feature,)."""
    arrow = draw.standard_normal(size)
    return np.asarray((arrow / np.linalg.norm(arrow)).astype(np.float32))
