"""Episodes of small pictures, made up: no family of the registry is needed."""

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from engine.contract.rng import Rng
from engine.protocol import Episode, Setting, Shift, generator
from engine.tasks import knobs
from engine.tasks.few_shot._family import EpisodeFamily
from engine.tasks.few_shot._sampling import make_episode
from tests.tasks.drawing import setting

SHAPE = (2, 12, 16)


class Pictures(EpisodeFamily):
    """Smooth random pictures, two channels of 12 × 16 pixels, in [0, 1]."""

    name: ClassVar[str] = "pictures"
    ways: int = knobs.ways(3)
    shots: int = knobs.shots(2)
    queries: int = knobs.queries(4)

    def sample(self, rng: Rng, pool: str) -> Episode:
        draw = generator(rng.child("data"))
        count = self.ways * (self.shots + self.queries)
        # A few waves, so that pixels beside each other are alike.
        down, right = np.arange(12)[:, None] / 12, np.arange(16) / 16
        turn = draw.uniform(0, 6, (4, count, 2, 1, 1))
        waves = np.sin(turn[0] * down + turn[1]) * np.cos(turn[2] * right + turn[3])
        pixels = (0.5 + 0.45 * waves).astype(np.float32)
        points = pixels.reshape(self.ways, -1, int(np.prod(SHAPE)))
        ids = draw.permutation(40)[: self.ways]
        return make_episode(points, ids, self.shots, SHAPE, 40)


def images(x: np.ndarray) -> np.ndarray:
    """Return inputs as images; (feature, example) → (example, channel, h, w)."""
    return np.ascontiguousarray(x.T).reshape(-1, *SHAPE)


def shifted(
    shift: Shift, severity: float, family: EpisodeFamily, seed: int = 0
) -> Episode:
    """Draw the test episode of a seed under a shift; 0 is the clean one."""
    changed: Setting = setting(family)
    if severity:
        changed = shift.apply(changed, severity)
    rng = Rng(4).child("test", seed)
    assert isinstance(changed.family, EpisodeFamily)
    (sample,) = changed.family.draw_samples(changed, [rng], "test")
    assert isinstance(sample, Episode)
    return sample


def pairs(
    shift: Shift, severity: float, family: EpisodeFamily, count: int = 30
) -> Iterator[tuple[Episode, Episode]]:
    """Yield clean episodes and the same ones shifted."""
    for seed in range(count):
        yield shifted(shift, 0.0, family, seed), shifted(shift, severity, family, seed)
