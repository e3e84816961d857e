"""Few-shot families: episodes are drawn, changed as asked, and put side by side."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from engine.contract.errors import Refused
from engine.contract.rng import Rng
from engine.protocol import (
    BatchSpec,
    Episode,
    EpisodeBatch,
    ExampleBatch,
    Family,
    Sample,
    SampledFamily,
    Setting,
)
from engine.tasks.few_shot._normalization import normalize_episode

SIZES = ("ways", "shots", "queries")


class EpisodeFamily(SampledFamily):
    """A family of few-shot tasks.

    Its `sample` draws an `Episode`; support and query never share an example, and
    the order of the labels is drawn anew each time. The knobs `ways`, `shots` and
    `queries` are those of the tests; a family that also has `train_ways`,
    `train_shots` or `train_queries` is drawn with these in meta-training.
    """

    kind: ClassVar[str] = "few_shot"
    outer_rate: ClassVar[float] = 0.05

    @abstractmethod
    def sample(self, rng: Rng, pool: str) -> Episode:
        """Draw one episode from a pool of classes: train, validation or test."""

    def best_error(self, rng: Rng, pool: str) -> float | None:
        """Return the error of the best answers to an episode; None where unknown.

        Args:
            rng: The stream that the episode was drawn with.
            pool: Where its classes are from.
        """
        return None

    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, batch_spec: BatchSpec
    ) -> EpisodeBatch:
        """Draw an episode per stream, change it as the setting says, and stack."""
        family = with_training_sizes(self) if pool == "train" else self
        drawn = _normalize_samples(
            self, family.draw_samples(setting, rngs, pool), setting.trained_family
        )
        return stack_episodes(drawn, setting, batch_spec)


def _normalize_samples(
    family: EpisodeFamily, samples: Sequence[Sample], trained: Family | None
) -> Sequence[Sample]:
    """Bring inputs to one scale, where the family has a knob that says so.

    What meta-training showed is of the family that was trained on, in a test under a
    shift or on another family, too.
    """
    how = getattr(family, "normalize", "none")
    if how == "none":
        return samples
    seen = trained if isinstance(trained, EpisodeFamily) else family
    return [
        normalize_episode(sample, seen, how) if isinstance(sample, Episode) else sample
        for sample in samples
    ]


def with_training_sizes(family: EpisodeFamily) -> EpisodeFamily:
    """Return the family with the sizes that its episodes have in meta-training."""
    wanted = {name: getattr(family, f"train_{name}", 0) for name in SIZES}
    update = {name: size for name, size in wanted.items() if size}
    return family.model_copy(update=update) if update else family


def stack_episodes(
    samples: Sequence[Sample], setting: Setting, batch_spec: BatchSpec
) -> EpisodeBatch:
    """Put episodes of one size side by side.

    Raises:
        Refused: If a change left something that is no episode.
    """
    episodes = [sample for sample in samples if isinstance(sample, Episode)]
    first = episodes[0]
    if len(episodes) < len(samples):
        raise Refused(f"{setting.family.name} draws no episodes", "family")

    def stack(pick: Callable[[Episode], np.ndarray]) -> Tensor:
        array = np.stack([pick(episode) for episode in episodes])
        kind = batch_spec.dtype if array.dtype.kind == "f" else torch.int64
        return torch.from_numpy(array).to(batch_spec.device, kind)

    drawn = first.truth is not None
    labelled = first.ids is not None
    return EpisodeBatch(
        net=setting.net,
        shape=first.shape,
        outputs=first.outputs,
        has_classes=first.y.dtype.kind == "i",
        known_classes=first.known_classes,
        replicates=batch_spec.replicates,
        horizon=setting.horizon,
        support=ExampleBatch(
            stack(lambda e: e.x),
            stack(lambda e: e.y),
            stack(lambda e: e.ids) if labelled else None,
        ),
        query=ExampleBatch(
            stack(lambda e: e.held_x),
            stack(lambda e: e.held_y),
            stack(lambda e: e.held_ids) if labelled else None,
        ),
        truth=stack(lambda e: e.truth) if drawn else None,
    )
