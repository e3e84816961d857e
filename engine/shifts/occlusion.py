"""Occlusion: a gray patch covers a part of every image.

Source: the patches of DeVries and Taylor (2017), arXiv:1708.04552.
Differs: at test time, and gray: halfway between the support's darkest and brightest
pixel, so that it is neither paper nor ink; each image has its patch elsewhere.
Helps: to see whether a learner needs the whole image, or a part is enough.
"""

from typing import ClassVar

import numpy as np

from engine.contract.registry import register
from engine.contract.rng import Rng
from engine.protocol import Episode, Sample, Setting, Shift, generator
from engine.shifts._applicability import change_train_and_held, why_no_image
from engine.shifts._pixels import ImageChange, change_flat_images, patch_size


@register("shift")
class Occlusion(Shift):
    """x_i ← gray inside a patch of share s of the area, placed uniformly at random."""

    version: ClassVar[int] = 1
    solves: ClassVar[frozenset[str]] = frozenset({"few_shot"})
    unit: ClassVar[str] = "share"
    severities: ClassVar[tuple[float, ...]] = (0.05, 0.1, 0.25, 0.5, 0.75)
    top: ClassVar[float] = 1.0

    def why_not(self, setting: Setting) -> str | None:
        """Return the reason why this shift cannot be applied there; None if it can."""
        return why_no_image(setting)

    def apply(self, setting: Setting, severity: float) -> Setting:
        """Cover a part of support and queries."""

        def warp(sample: Sample, rng: Rng) -> Sample:
            assert isinstance(sample, Episode)
            gray = (sample.x.min() + sample.x.max()) / 2.0
            draw = generator(rng.child("shift", "occlusion"))
            places = draw.random((sample.x.shape[1], 2))
            # A stream of their own: more shots leave the queries' patches unchanged.
            held = generator(rng.child("shift", "occlusion", "held"))
            held_places = held.random((sample.held_x.shape[1], 2))
            train, other = (
                change_flat_images(_cover_patches(some, severity, gray), sample.shape)
                for some in (places, held_places)
            )
            return change_train_and_held(sample, train, other)

        return setting.with_warp(warp)


def _cover_patches(places: np.ndarray, share: float, gray: float) -> ImageChange:
    """Return the change that covers each image at its place.

    Args:
        places: In [0, 1), from the top left; shape (example, 2), (down, right).
        share: Share of the image's area.
        gray: Brightness of the patch.
    """

    def cover(images: np.ndarray) -> np.ndarray:
        # The images are a view of the task's inputs, which other shifts see, too.
        images = images.copy()
        height, width = images.shape[2:]
        size = np.array(patch_size(height, width, share))
        corners = (places * (np.array([height, width]) - size + 1)).astype(int)
        for image, (top, left) in zip(images, corners, strict=True):
            image[:, top : top + size[0], left : left + size[1]] = gray
        return images

    return cover
