"""Pools of Omniglot's characters, for the families that sample from them."""

from functools import lru_cache

import numpy as np

from engine.data.sources import omniglot
from engine.tasks.few_shot._class_pools import ClassPool, turn_images


@lru_cache(maxsize=16)
def load_class_pool(split: str, pool: str, turns: int, within: str) -> ClassPool:
    """Return the classes of a pool.

    Args:
        split: "vinyals", "author" or "mixed".
        pool: "train", "validation", "test" or "held_out".
        turns: Rotations of each character that are classes: 1 or 4.
        within: "all" mixes the alphabets of the pool; else an episode's classes are of
            one alphabet.
    """
    characters = omniglot.split_pools(split)[pool]
    if within == "all":
        return ClassPool.pool_without_groups(characters, turns)
    of = omniglot.load_characters(28).alphabet[characters]
    return ClassPool(
        characters, turns, tuple(np.flatnonzero(of == a) for a in np.unique(of))
    )


def draw_characters(
    classes: ClassPool, ids: np.ndarray, drawers: np.ndarray, side: int
) -> np.ndarray:
    """Return drawings of some classes, rotated as the classes are.

    Args:
        classes: The pool.
        ids: Class of each drawing; shape (example,).
        drawers: Its writer; shape (example,).
        side: Height and width in pixels.

    Returns:
        Bytes, ink bright; shape (example, side, side).
    """
    character = classes.members[ids % classes.member_count]
    images = omniglot.load_characters(side).images[character, drawers]
    turn_images(images, ids // classes.member_count)
    return images
