"""The glyphs of a font as classes: look-alikes merged, then divided into pools.

Latin A, Greek Α and Cyrillic А are one class, so that none is learned in
meta-training under one name and tested under another.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import distance_transform_edt, gaussian_filter1d

from engine.contract.rng import Rng
from engine.data.sources import font_bitmaps

# Cosine of two blurred bitmaps, from which on they are one class. No pair of this
# font lies within 1e-5 of it, so that rounding decides nothing.
ALIKE = 0.919443
POOLS = ("train", "validation", "test")
SHARES = (0.64, 0.80)
HELD_OUT = frozenset({"ARMENIAN", "GEORGIAN", "HEBREW", "LAO", "TIFINAGH"})


@dataclass(frozen=True, eq=False)
class GlyphClasses:
    """Classes of glyphs; compared and hashed by identity.

    Args:
        characters: The first, in Unicode's order, of those that look alike.
        depth: How many pixels inside its outline each pixel is, negative outside;
            float32, shape (class, 48, 48).
        pools: Numbers of the classes of each pool, and of the held-out scripts.
    """

    characters: tuple[str, ...]
    depth: np.ndarray
    pools: dict[str, np.ndarray]


@lru_cache(maxsize=1)
def build_glyph_classes() -> GlyphClasses:
    """Draw all glyphs of the font, merge look-alikes and divide the classes.

    Raises:
        Refused: If the font is absent or not the known one.
    """
    every = font_bitmaps.font_characters()
    drawn = np.concatenate(
        [font_bitmaps.missing_glyph(), font_bitmaps.draw_bitmaps(every)]
    )
    firsts = distinct_indices(drawn)
    kept = tuple(every[place - 1] for place in firsts if place)
    depth = ink_depths(drawn[firsts[firsts > 0]])
    return GlyphClasses(
        kept, depth, _divide_pools([font_bitmaps.script(c) for c in kept])
    )


def distinct_indices(drawn: np.ndarray) -> np.ndarray:
    """Return which bitmaps are kept: each the first of those that look like it.

    No two that are kept look alike; blanks are left out.

    Args:
        drawn: uint8; shape (glyph, side, side), side a multiple of 3.
    """
    marked = np.flatnonzero(drawn.any(axis=(1, 2)))
    alike = _similarity_mask(drawn[marked])
    kept = np.ones(len(marked), bool)
    for place in range(len(marked)):
        if kept[place]:
            kept[place + 1 :] &= ~alike[place, place + 1 :]
    return marked[kept]


def _similarity_mask(drawn: np.ndarray) -> np.ndarray:
    return cosine_similarity(drawn) >= ALIKE


def cosine_similarity(drawn: np.ndarray) -> np.ndarray:
    """Return the cosine of any two bitmaps, blurred and made smaller."""
    count, side = len(drawn), drawn.shape[1] // 3
    small = drawn.reshape(count, side, 3, side, 3).mean((2, 4), dtype=np.float32)
    for axis in (1, 2):
        small = gaussian_filter1d(small, 0.5, axis=axis)
    flat = small.reshape(count, -1)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    return flat @ flat.T


def ink_depths(drawn: np.ndarray) -> np.ndarray:
    """Return how deep in the ink each pixel lies, in pixels; negative outside."""
    inside = drawn > 127
    each = [distance_transform_edt(i) - distance_transform_edt(~i) for i in inside]
    return np.stack(each).astype(np.float32)


def _divide_pools(scripts: list[str]) -> dict[str, np.ndarray]:
    """Divide classes 64 / 16 / 20, but for those of the scripts that are held out."""
    apart = np.array([script in HELD_OUT for script in scripts])
    draw = np.random.Generator(np.random.Philox(key=Rng(0).child("glyphs").key()))
    order = draw.permutation(np.flatnonzero(~apart))
    cuts = np.round(np.array(SHARES) * len(order)).astype(int)
    parts = dict(zip(POOLS, np.split(order, cuts), strict=True))
    return {name: np.sort(some) for name, some in parts.items()} | {
        "held_out": np.flatnonzero(apart)
    }
