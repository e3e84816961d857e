"""Base class of few-shot families: draw episodes, apply shifts, normalize, stack."""

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
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

    `sample` draws an `Episode`; support and queries never share an example, and labels
    are assigned at random each time. The knobs `ways`, `shots` and `queries` apply to
    tests; in meta-training, `train_ways`, `train_shots` and `train_queries` replace
    them where a family has these.
    """

    kind: ClassVar[str] = "few_shot"
    outer_rate: ClassVar[float] = 0.05
    # The field's code is PyTorch and sets no start: prototypical networks (Snell et al.
    # 2017), R2-D2 (Bertinetto et al. 2019), CAVIA (Zintgraf et al. 2019), learn2learn.
    # MAML's own has a small normal for vectors, which learns later. With one input, He
    # weights make the first inner step explode; on characters they cost 3 points.
    net_start: ClassVar[str] = "torch_default"

    @abstractmethod
    def sample(self, rng: Rng, pool: str) -> Episode:
        """Draw one episode.

        Args:
            rng: The task's stream.
            pool: Pool of classes: "train", "validation" or "test".
        """

    def best_error(self, rng: Rng, pool: str) -> float | None:
        """Return the error of the optimal predictor on an episode; None if unknown.

        Args:
            rng: The stream that the episode was drawn with.
            pool: Its pool of classes.
        """
        return None

    def draw(
        self, setting: Setting, rngs: Sequence[Rng], pool: str, batch_spec: BatchSpec
    ) -> EpisodeBatch:
        """Draw an episode per stream, apply the setting's changes, and stack them."""
        family = with_training_sizes(self) if pool == "train" else self
        samples = family.draw_samples(setting, rngs, pool)
        shown = [_keep_examples_equal(sample) for sample in samples]
        drawn = _normalize_samples(self, shown, setting.trained_family)
        return stack_episodes(drawn, setting, batch_spec)


def _keep_examples_equal(sample: Sample) -> Sample:
    """Return online episodes with the queries' inputs as those of the support.

    A shift changes both by separate draws, but a query is an example of the support as
    soon as it is answered.
    """
    if isinstance(sample, Episode) and sample.online:
        return replace(sample, x=sample.held_x)
    return sample


def _normalize_samples(
    family: EpisodeFamily, samples: Sequence[Sample], trained: Family | None
) -> Sequence[Sample]:
    """Normalize inputs, if the family has a knob for it.

    Statistics of meta-training are those of the family that was trained on, also in
    tests under a shift or on another family.
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
    """Return the family with the episode sizes of meta-training.

    Args:
        family: Its `train_…` knobs replace its sizes; 0 keeps the size of the tests.
    """
    wanted = {name: getattr(family, f"train_{name}", 0) for name in SIZES}
    update = {name: size for name, size in wanted.items() if size}
    return family.model_copy(update=update) if update else family


def stack_episodes(
    samples: Sequence[Sample], setting: Setting, batch_spec: BatchSpec
) -> EpisodeBatch:
    """Stack episodes of the same size into a batch.

    Args:
        samples: One per member.
        setting: The net and the horizon.
        batch_spec: Replicates, device and dtype.

    Raises:
        Refused: If a sample is not an episode.
    """
    episodes = [sample for sample in samples if isinstance(sample, Episode)]
    first = episodes[0]
    if len(episodes) < len(samples):
        raise Refused(f"{setting.family.name} does not draw episodes", "family")

    def stack(pick: Callable[[Episode], np.ndarray]) -> Tensor:
        array = np.stack([pick(episode) for episode in episodes])
        kind = batch_spec.dtype if array.dtype.kind == "f" else torch.int64
        return torch.from_numpy(array).to(batch_spec.device, kind)

    # All episodes of a family are alike: the first tells what they have.
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
        online=first.online,
    )
