"""Helpers for shifts: reasons why one does not apply, changes of data and knobs."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from engine.contract.cards import card_of, complete_knobs
from engine.contract.learner_appearance import name_in_words
from engine.contract.rng import Rng
from engine.protocol import Episode, Net, Sample, SampledFamily, Setting

IMAGE = 3  # axes of an image: channel, height, width

InputChange = Callable[[np.ndarray], np.ndarray]


def why_no_inputs(setting: Setting) -> str | None:
    """Return the reason why inputs cannot be changed; None if they can."""
    if isinstance(setting.family, SampledFamily):
        return None
    return f"{setting.family.name} is a bare function: it has no inputs to change"


def why_no_labels(setting: Setting) -> str | None:
    """Return the reason why labels cannot be changed; None if they can."""
    if setting.family.answer_kind() == "classes":
        return why_no_inputs(setting)
    return f"{setting.family.name} has no classes: there are no labels to change"


def why_no_values(setting: Setting) -> str | None:
    """Return the reason why targets cannot be noisy values; None if they can."""
    if setting.family.answer_kind() == "value":
        return why_no_inputs(setting)
    return f"{setting.family.name} is classification; use label_noise instead"


def why_no_rows(setting: Setting, instead: str) -> str | None:
    """Return the reason why a shift of measured inputs does not apply; None if it does.

    Args:
        setting: The setting to change.
        instead: For images: which shift to use instead.
    """
    if reason := why_no_inputs(setting):
        return reason
    if not image_shape(setting):
        return None
    return f"the inputs of {setting.family.name} are pixels; {instead}"


def why_no_image(setting: Setting) -> str | None:
    """Return the reason why inputs are not images; None if they are."""
    if image_shape(setting):
        return None
    return f"{setting.family.name} has no images: its inputs are plain numbers"


def why_no_knobs(setting: Setting, names: tuple[str, ...], what: str) -> str | None:
    """Return the reason why knobs cannot be changed; None if the family has them.

    Args:
        setting: The setting to change.
        names: The family's fields that the shift changes.
        what: What they are, for the message.
    """
    if all(name in type(setting.family).model_fields for name in names):
        return None
    return f"{setting.family.name} has no {what} to change"


def image_shape(setting: Setting) -> tuple[int, ...]:
    """Return (channel, height, width) where inputs are images; else ()."""
    if not isinstance(setting.family, SampledFamily):
        return ()
    # A family does not declare its shape: it depends on knobs, so draw one task.
    sample = setting.family.sample(Rng(0), "test")
    shape = sample.shape if isinstance(sample, Episode) else ()
    return shape if len(shape) == IMAGE else ()


def why_no_net(setting: Setting, field: str) -> str | None:
    """Return the reason why a knob of the base learner cannot change; None if it can.

    Args:
        setting: The setting to change.
        field: The net's field that the shift changes.
    """
    if not setting.family.uses_net:
        return f"{setting.family.name} is a bare function: it has no base learner"
    if field not in type(setting.net).model_fields:
        return f"the base learner {setting.net.name} has no {name_in_words(field)}"
    return None


def why_too_few_inputs(setting: Setting, least: int) -> str | None:
    """Return the reason why there are too few inputs; None if there are enough.

    Args:
        setting: The setting to change.
        least: The smallest number of inputs that the shift needs.
    """
    if not isinstance(setting.family, SampledFamily):
        return why_no_inputs(setting)
    count = setting.family.sample(Rng(0), "test").x.shape[0]
    if count >= least:
        return None
    return f"{setting.family.name} has {count} input; this needs at least {least}"


def change_net(setting: Setting, **knobs: object) -> Setting:
    """Return the setting with some knobs of its base learner changed.

    Args:
        setting: The setting to change.
        **knobs: The net's knobs with their new values.

    Raises:
        Refused: If a knob leaves its range.
    """
    kind: type[Net] = type(setting.net)
    filled = complete_knobs(card_of(kind), setting.net.model_dump() | knobs)
    return replace(setting, net=kind(**filled))


def change_family(setting: Setting, **knobs: object) -> Setting:
    """Return the setting with some knobs of its family changed; the caller checks them.

    Args:
        setting: The setting to change.
        **knobs: The family's knobs with their new values.
    """
    # model_copy skips pydantic's validation.
    return replace(setting, family=setting.family.model_copy(update=knobs))


def change_inputs(sample: Sample, change: InputChange) -> Sample:
    """Change training and held-out inputs alike, before and after a drift.

    Args:
        sample: One task.
        change: Inputs → inputs; shape (feature, example).

    Returns:
        The changed task; the noise-free curve of an episode changes along.
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
    """Change training and held-out inputs, each in its own way.

    Args:
        sample: One task.
        train: Change of the training inputs; shape (feature, example).
        held: Change of the held-out inputs; shape (feature, example).
    """
    later = sample.later and change_train_and_held(sample.later, train, held)
    return replace(sample, x=train(sample.x), held_x=held(sample.held_x), later=later)


def relabel(sample: Sample, y: np.ndarray) -> Sample:
    """Return the sample with other training labels.

    Args:
        sample: One task.
        y: New training labels; int64, shape (example,).

    Returns:
        The relabeled task; the pool's class ids of an episode follow the labels.
    """
    if not isinstance(sample, Episode) or sample.held_ids is None:
        return replace(sample, y=y)
    # Queries give the id of each label; a class that an online episode has not
    # presented yet has none, and counts as the pool's first.
    ids = np.zeros(sample.outputs, sample.held_ids.dtype)
    ids[sample.held_y] = sample.held_ids
    return replace(sample, y=y, ids=ids[y])


def input_deviation(sample: Sample) -> np.ndarray:
    """Return the standard deviation of each training input; shape (feature, 1).

    All pixels share one value: in a few images many pixels never vary.
    """
    if isinstance(sample, Episode) and len(sample.shape) == IMAGE:
        return np.full((len(sample.x), 1), sample.x.std())
    return np.asarray(sample.x.std(axis=1, keepdims=True))


def random_direction(draw: np.random.Generator, size: int) -> np.ndarray:
    """Draw a random unit vector; float32, shape (feature,)."""
    arrow = draw.standard_normal(size)
    return np.asarray((arrow / np.linalg.norm(arrow)).astype(np.float32))
